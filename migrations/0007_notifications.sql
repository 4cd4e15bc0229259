-- +goose Up

CREATE TABLE notification_look (
    workspace_id   bigint PRIMARY KEY REFERENCES workspace (id) ON DELETE CASCADE,
    due_at         timestamptz NOT NULL,
    tenants_due_at timestamptz NOT NULL
);
CREATE INDEX notification_look_due ON notification_look (due_at);
CREATE INDEX notification_look_tenants_due ON notification_look (tenants_due_at);
COMMENT ON TABLE notification_look IS 'When a workspace is looked at next for what is to be told, and when its partners'' lists of tenants are read next.';

CREATE TABLE partner_tenant (
    workspace_id  bigint NOT NULL,
    connection_id bigint NOT NULL,
    tenant        text NOT NULL CHECK (tenant <> ''),
    name          text NOT NULL DEFAULT '',
    domain        text NOT NULL DEFAULT '',
    ends_at       timestamptz,
    first_seen    date NOT NULL,
    gone_on       date,
    PRIMARY KEY (tenant, connection_id, workspace_id),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES connection (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX partner_tenant_of_connection ON partner_tenant (connection_id);
COMMENT ON TABLE partner_tenant IS 'The tenants of a partner''s list as last read whole.';
COMMENT ON COLUMN partner_tenant.ends_at IS 'When the relationship ends, where it does so by itself.';
COMMENT ON COLUMN partner_tenant.gone_on IS 'The day of the complete list that had it no more.';

CREATE TABLE notification (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    workspace_id bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    key          text NOT NULL CHECK (key <> ''),
    kind         text NOT NULL CHECK (kind IN ('unlinkedLicenses', 'unassignedSeats', 'holdsWaiting', 'connectionBroken',
        'credentialExpires', 'tenantsNotAdded', 'tenantsGone', 'agreementChanged', 'syncFailed')),
    customer_id  bigint,
    tenant       text NOT NULL DEFAULT '',
    sku          text NOT NULL DEFAULT '',
    subscription text NOT NULL DEFAULT '',
    text         text NOT NULL,
    action       text NOT NULL,
    money        jsonb NOT NULL DEFAULT '[]',
    last_day     date,
    screen       text NOT NULL DEFAULT '',
    began_at     timestamptz NOT NULL,
    ended_at     timestamptz,
    PRIMARY KEY (id, workspace_id),
    FOREIGN KEY (workspace_id, customer_id) REFERENCES customer (workspace_id, id)
);
CREATE UNIQUE INDEX notification_open ON notification (workspace_id, key) WHERE ended_at IS NULL;
CREATE INDEX notification_of_workspace ON notification (workspace_id, id DESC);
CREATE INDEX notification_of_customer ON notification (customer_id, id DESC) WHERE customer_id IS NOT NULL;
COMMENT ON TABLE notification IS 'What is or was so and is told once to each user who wants it. Of a key one row is open; what ends and begins anew is a new row.';
COMMENT ON COLUMN notification.last_day IS 'The last day to act without losing money, where there is one.';

CREATE TABLE preference (
    user_id      bigint NOT NULL,
    workspace_id bigint NOT NULL,
    email        text NOT NULL DEFAULT '',
    choices      jsonb NOT NULL,
    digest_at    text NOT NULL,
    weekday      smallint NOT NULL CHECK (weekday BETWEEN 0 AND 6),
    zone         text NOT NULL DEFAULT '',
    version      bigint NOT NULL DEFAULT 1,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, workspace_id),
    FOREIGN KEY (user_id, workspace_id) REFERENCES membership (user_id, workspace_id) ON DELETE CASCADE
);
COMMENT ON TABLE preference IS 'What a user wants to be told in a workspace and when; no row is what is usual for the role.';
COMMENT ON COLUMN preference.choices IS 'How often by kind. A kind that is not named is not told.';

CREATE TABLE mute (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    workspace_id bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    kind         text NOT NULL DEFAULT '',
    customer_id  bigint,
    tenant       text NOT NULL DEFAULT '',
    sku          text NOT NULL DEFAULT '',
    subscription text NOT NULL DEFAULT '',
    reason       text NOT NULL CHECK (reason <> ''),
    until        date NOT NULL,
    made_by      text NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, workspace_id),
    FOREIGN KEY (workspace_id, customer_id) REFERENCES customer (workspace_id, id),
    CHECK (kind <> '' OR customer_id IS NOT NULL OR sku <> ''),
    CHECK ((tenant = '') = (sku = ''))
);
CREATE INDEX mute_of_workspace ON mute (workspace_id, id);
COMMENT ON TABLE mute IS 'What of a kind, a customer or a license is not told through a day, and why. Told again after it, if it still is so.';

CREATE TABLE digest (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    workspace_id bigint NOT NULL,
    user_id      bigint NOT NULL,
    at_once      boolean NOT NULL,
    day          date NOT NULL,
    due_at       timestamptz NOT NULL,
    first_due_at timestamptz NOT NULL,
    filled_at    timestamptz,
    sent_at      timestamptz,
    closed_at    timestamptz,
    attempts     integer NOT NULL DEFAULT 0,
    claims       bigint NOT NULL DEFAULT 0,
    lease_owner  text,
    lease_until  timestamptz,
    failed_at    timestamptz,
    last_error   text NOT NULL DEFAULT '',
    PRIMARY KEY (id, workspace_id),
    FOREIGN KEY (user_id, workspace_id) REFERENCES membership (user_id, workspace_id) ON DELETE CASCADE,
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK (sent_at IS NULL OR closed_at IS NOT NULL)
);
CREATE UNIQUE INDEX digest_open ON digest (user_id, workspace_id, at_once) WHERE closed_at IS NULL;
CREATE UNIQUE INDEX digest_of_day ON digest (user_id, workspace_id, day) WHERE NOT at_once;
CREATE INDEX digest_of_user ON digest (user_id, workspace_id, id DESC);
CREATE INDEX digest_due ON digest (due_at) WHERE closed_at IS NULL;
COMMENT ON TABLE digest IS 'A mail to a user that is due at a time: the next one by the day, and what is told at once. Claimed with a lease; one that could not be sent is due again later.';
COMMENT ON COLUMN digest.day IS 'By the user''s calendar. A day has one digest, whatever becomes of clocks and settings.';
COMMENT ON COLUMN digest.filled_at IS 'When it was decided what it tells: before the first try to send it, and not again after it.';
COMMENT ON COLUMN digest.claims IS 'Goes up with every claim: together with the owner it fences what a process may still do.';

CREATE TABLE notification_told (
    notification_id bigint NOT NULL,
    user_id         bigint NOT NULL,
    workspace_id    bigint NOT NULL,
    digest_id       bigint NOT NULL,
    PRIMARY KEY (notification_id, user_id, workspace_id),
    FOREIGN KEY (workspace_id, notification_id) REFERENCES notification (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, digest_id) REFERENCES digest (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX notification_told_in_digest ON notification_told (digest_id);
COMMENT ON TABLE notification_told IS 'Which digest tells a user a notification: one, so nobody is told twice.';

-- +goose Down

DROP TABLE notification_told;
DROP TABLE digest;
DROP TABLE mute;
DROP TABLE preference;
DROP TABLE notification;
DROP TABLE partner_tenant;
DROP TABLE notification_look;
