-- +goose Up

-- Keys begin with what tells rows apart and end with the workspace. The other way round,
-- a planner without figures would read a whole workspace to find one row of it.

CREATE TABLE workspace (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text NOT NULL UNIQUE CHECK (name <> ''),
    zone            text NOT NULL,
    currency        text NOT NULL DEFAULT '',
    observe         boolean NOT NULL DEFAULT true,
    nightly_at      text NOT NULL DEFAULT '',
    link_defaults   jsonb NOT NULL,
    unknown_member  text NOT NULL DEFAULT 'viewer' CHECK (unknown_member IN ('viewer', 'none')),
    embed_fallback  boolean NOT NULL DEFAULT true,
    approve_seats   integer,
    approve_percent integer,
    approve_amount  numeric,
    freeze_days     integer NOT NULL DEFAULT 0 CHECK (freeze_days >= 0),
    history_days    integer CHECK (history_days > 0),
    nightly_on      date,
    version         bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE workspace IS 'One MSP with one Manage: its settings. Every other row belongs to one.';
COMMENT ON COLUMN workspace.history_days IS 'Finished runs older than this many days are deleted; null keeps them for good.';
COMMENT ON COLUMN workspace.nightly_on IS 'The business day whose nightly batch was marked due; one day is marked once.';
COMMENT ON COLUMN workspace.version IS 'Goes up with every change of settings, types, profiles and rules, so that what was read of them can be kept.';

CREATE TABLE connection (
    id                 bigint GENERATED ALWAYS AS IDENTITY,
    workspace_id       bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    kind               text NOT NULL CHECK (kind IN ('manage', 'partnerApp', 'partnerConsent', 'tenantApp', 'password')),
    name               text NOT NULL CHECK (name <> ''),
    settings           jsonb NOT NULL DEFAULT '{}',
    private_key        bytea,
    client_secret      bytea,
    client_certificate bytea,
    password           bytea,
    refresh_token      bytea,
    version            bigint NOT NULL DEFAULT 1,
    health             text NOT NULL DEFAULT 'unknown' CHECK (health IN ('unknown', 'healthy', 'broken')),
    health_code        text NOT NULL DEFAULT '',
    health_text        text NOT NULL DEFAULT '',
    health_action      text NOT NULL DEFAULT '',
    checked_at         timestamptz,
    expires_at         timestamptz,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, workspace_id),
    UNIQUE (name, workspace_id)
);
CREATE UNIQUE INDEX connection_one_manage ON connection (workspace_id) WHERE kind = 'manage';
COMMENT ON TABLE connection IS 'A connection to Manage (one a workspace) or to Microsoft (several).';
COMMENT ON COLUMN connection.private_key IS 'Sealed, as all bytea columns here: AES-256-GCM with table, row and column as additional data.';
COMMENT ON COLUMN connection.version IS 'Goes up with every change of settings or secrets by a person; what was built from an older one is built anew.';
COMMENT ON COLUMN connection.expires_at IS 'When the secret, certificate or consent ends, where it is known.';

CREATE TABLE agreement_type (
    workspace_id bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    type_id      integer NOT NULL,
    name         text NOT NULL,
    inactive     boolean NOT NULL DEFAULT false,
    arrears      boolean NOT NULL DEFAULT false,
    PRIMARY KEY (type_id, workspace_id)
);
COMMENT ON TABLE agreement_type IS 'What the workspace says of an agreement type of Manage.';
COMMENT ON COLUMN agreement_type.arrears IS 'Invoiced through one cycle earlier than the day before the next invoice date.';

CREATE TABLE billing_profile (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    workspace_id bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    name         text NOT NULL CHECK (name <> ''),
    product_id   integer NOT NULL,
    product_name text NOT NULL DEFAULT '',
    price        numeric,
    currency     text NOT NULL DEFAULT '',
    bill         text NOT NULL CHECK (bill IN ('Billable', 'DoNotBill', 'NoCharge')),
    retired      boolean NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, workspace_id),
    UNIQUE (name, workspace_id)
);
COMMENT ON TABLE billing_profile IS 'Which product, at which price, on which agreements a license is billed. One in use is retired, never deleted.';
COMMENT ON COLUMN billing_profile.price IS 'A custom price per cycle; null is the price of Manage.';
COMMENT ON COLUMN billing_profile.product_name IS 'The catalog identifier as last read.';

CREATE TABLE billing_profile_type (
    workspace_id bigint NOT NULL,
    profile_id   bigint NOT NULL,
    type_id      integer NOT NULL,
    PRIMARY KEY (profile_id, type_id, workspace_id),
    FOREIGN KEY (workspace_id, profile_id) REFERENCES billing_profile (workspace_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE billing_profile_type IS 'The agreement types that a profile may be used with.';

CREATE TABLE rule (
    workspace_id bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    license      text NOT NULL CHECK (license <> ''),
    profile_id   bigint,
    do_not_bill  text NOT NULL DEFAULT '',
    PRIMARY KEY (license, workspace_id),
    FOREIGN KEY (workspace_id, profile_id) REFERENCES billing_profile (workspace_id, id),
    CHECK ((profile_id IS NULL) <> (do_not_bill = ''))
);
COMMENT ON TABLE rule IS 'What a SKU is for all customers now and later: a profile, or do not bill with a reason.';

CREATE TABLE customer (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    workspace_id bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    company_id   integer NOT NULL,
    identifier   text NOT NULL,
    name         text NOT NULL DEFAULT '',
    removed_at   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, workspace_id),
    UNIQUE (company_id, workspace_id)
);
COMMENT ON TABLE customer IS 'A company of Manage with its Microsoft tenants, as we sync it. Never deleted: what its links billed outlives it.';
COMMENT ON COLUMN customer.removed_at IS 'Set when a person took it out; its lines are still ended by runs. Adding the company again takes it back.';

CREATE TABLE customer_tenant (
    workspace_id  bigint NOT NULL,
    tenant        text NOT NULL CHECK (tenant <> ''),
    customer_id   bigint NOT NULL,
    position      integer NOT NULL,
    domain        text NOT NULL DEFAULT '',
    connection_id bigint NOT NULL,
    PRIMARY KEY (tenant, workspace_id),
    FOREIGN KEY (workspace_id, customer_id) REFERENCES customer (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, connection_id) REFERENCES connection (workspace_id, id)
);
CREATE INDEX customer_tenant_of_customer ON customer_tenant (customer_id);
CREATE INDEX customer_tenant_of_connection ON customer_tenant (connection_id);
COMMENT ON TABLE customer_tenant IS 'A tenant of a customer and the connection that reads it. A tenant has one customer, or its seats would be billed twice.';

-- +goose Down

DROP TABLE customer_tenant;
DROP TABLE customer;
DROP TABLE rule;
DROP TABLE billing_profile_type;
DROP TABLE billing_profile;
DROP TABLE agreement_type;
DROP TABLE connection;
DROP TABLE workspace;
