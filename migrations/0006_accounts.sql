-- +goose Up

CREATE TABLE user_account (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email                text NOT NULL UNIQUE CHECK (email <> '' AND email = lower(email)),
    name                 text NOT NULL DEFAULT '',
    password_hash        text NOT NULL DEFAULT '',
    must_change_password boolean NOT NULL DEFAULT false,
    totp_secret          bytea,
    totp_pending         bytea,
    totp_step            bigint NOT NULL DEFAULT 0,
    last_workspace_id    bigint REFERENCES workspace (id) ON DELETE SET NULL,
    seen_at              timestamptz,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE user_account IS 'A person, who may belong to several workspaces. Never deleted: history and audit name them.';
COMMENT ON COLUMN user_account.password_hash IS 'argon2id with its parameters; empty for a person who only signs in with a provider.';
COMMENT ON COLUMN user_account.totp_secret IS 'Sealed, with table, row and column as additional data.';
COMMENT ON COLUMN user_account.totp_pending IS 'A new secret, sealed likewise, until a code of it confirms that the person has it.';
COMMENT ON COLUMN user_account.totp_step IS 'The time step of the last code that was taken: an older or equal one is refused, so a code counts once.';

CREATE TABLE recovery_code (
    code_hash bytea NOT NULL,
    user_id   bigint NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    used_at   timestamptz,
    PRIMARY KEY (user_id, code_hash)
);
COMMENT ON TABLE recovery_code IS 'SHA-256 of the codes that stand in for a lost authenticator, once each.';

CREATE TABLE membership (
    user_id       bigint NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    workspace_id  bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    role          text NOT NULL CHECK (role IN ('viewer', 'technician', 'billing', 'admin')),
    manage_member text NOT NULL DEFAULT '',
    disabled      boolean NOT NULL DEFAULT false,
    version       bigint NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, workspace_id)
);
CREATE INDEX membership_of_workspace ON membership (workspace_id);
CREATE UNIQUE INDEX membership_member ON membership (workspace_id, lower(manage_member)) WHERE manage_member <> '';
COMMENT ON TABLE membership IS 'A user in a workspace, with the role there. A workspace never loses its last admin.';
COMMENT ON COLUMN membership.manage_member IS 'Identifier of the Manage member that this user is, as an admin linked it.';

CREATE TABLE sign_in_policy (
    workspace_id     bigint PRIMARY KEY REFERENCES workspace (id) ON DELETE CASCADE,
    mfa_required     boolean NOT NULL,
    session_hours    integer NOT NULL CHECK (session_hours BETWEEN 1 AND 720),
    allowed_networks text[] NOT NULL,
    version          bigint NOT NULL DEFAULT 1,
    updated_at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sign_in_policy IS 'How people sign in to a workspace; no row is the default.';

CREATE TABLE sign_in_provider (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id  bigint NOT NULL UNIQUE REFERENCES workspace (id) ON DELETE CASCADE,
    name          text NOT NULL CHECK (name <> ''),
    issuer        text NOT NULL,
    client_id     text NOT NULL,
    client_secret bytea,
    domains       text[] NOT NULL,
    version       bigint NOT NULL DEFAULT 1,
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sign_in_provider_domains ON sign_in_provider USING gin (domains);
COMMENT ON TABLE sign_in_provider IS 'The OpenID provider of a workspace. What it says of a person counts in this workspace only.';
COMMENT ON COLUMN sign_in_provider.client_secret IS 'Sealed, with table, row and column as additional data.';
COMMENT ON COLUMN sign_in_provider.domains IS 'Of which e-mail addresses the provider speaks, lower case.';

CREATE TABLE user_identity (
    issuer      text NOT NULL,
    subject     text NOT NULL,
    provider_id bigint NOT NULL REFERENCES sign_in_provider (id) ON DELETE CASCADE,
    user_id     bigint NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject, issuer, provider_id),
    UNIQUE (user_id, issuer, provider_id)
);
COMMENT ON TABLE user_identity IS 'Whom a provider means: bound at the first sign-in, so that an address given to somebody else later opens nothing.';

CREATE TABLE sign_in_flow (
    state_hash   bytea PRIMARY KEY,
    browser_hash bytea NOT NULL,
    provider_id  bigint NOT NULL REFERENCES sign_in_provider (id) ON DELETE CASCADE,
    return_to    text NOT NULL DEFAULT '',
    ends_at      timestamptz NOT NULL
);
CREATE INDEX sign_in_flow_ends ON sign_in_flow (ends_at);
COMMENT ON TABLE sign_in_flow IS 'A sign-in that was sent to a provider and is not back yet: taken once, by the browser that began it.';

CREATE TABLE user_session (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash           text NOT NULL UNIQUE,
    user_id              bigint NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    workspace_id         bigint REFERENCES workspace (id) ON DELETE CASCADE,
    provider_id          bigint REFERENCES sign_in_provider (id) ON DELETE CASCADE,
    awaits_second_factor boolean NOT NULL,
    address              text NOT NULL,
    device               text NOT NULL,
    created_at           timestamptz NOT NULL,
    seen_at              timestamptz NOT NULL,
    ends_at              timestamptz NOT NULL
);
CREATE INDEX user_session_of_user ON user_session (user_id);
CREATE INDEX user_session_ends ON user_session (ends_at);
COMMENT ON TABLE user_session IS 'A browser that somebody signed in with. Its token is kept as a hash; signing out deletes the row.';
COMMENT ON COLUMN user_session.ends_at IS 'At the latest; without use it ends earlier.';

CREATE TABLE invitation (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    workspace_id bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    email        text NOT NULL CHECK (email <> '' AND email = lower(email)),
    role         text NOT NULL CHECK (role IN ('viewer', 'technician', 'billing', 'admin')),
    token_hash   bytea NOT NULL UNIQUE,
    invited_by   text NOT NULL,
    created_at   timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    PRIMARY KEY (id, workspace_id),
    UNIQUE (email, workspace_id)
);
COMMENT ON TABLE invitation IS 'A role that waits for whoever has the link, of which SHA-256 is kept. Accepting or taking it back deletes the row.';

CREATE TABLE one_time_link (
    token_hash bytea PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('reset', 'first')),
    user_id    bigint REFERENCES user_account (id) ON DELETE CASCADE,
    ends_at    timestamptz NOT NULL,
    CHECK ((kind = 'reset') = (user_id IS NOT NULL))
);
CREATE UNIQUE INDEX one_time_link_of_user ON one_time_link (user_id) WHERE kind = 'reset';
CREATE UNIQUE INDEX one_time_link_first ON one_time_link (kind) WHERE kind = 'first';
COMMENT ON TABLE one_time_link IS 'SHA-256 of a link that sets a password, or makes the first admin. Using it deletes the row; a newer one takes its place.';

CREATE TABLE sign_in_delay (
    subject  bytea PRIMARY KEY,
    attempts integer NOT NULL,
    last_at  timestamptz NOT NULL,
    until    timestamptz NOT NULL
);
CREATE INDEX sign_in_delay_last ON sign_in_delay (last_at);
COMMENT ON TABLE sign_in_delay IS 'How often an account or an address failed to sign in, and until when it must wait. Shared by all processes.';
COMMENT ON COLUMN sign_in_delay.subject IS 'SHA-256 of the address that was typed or of the network address, so that typing errors are not kept as text.';

CREATE TABLE api_token (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    workspace_id bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    token_hash   bytea NOT NULL UNIQUE,
    hint         text NOT NULL,
    name         text NOT NULL CHECK (name <> ''),
    role         text NOT NULL CHECK (role IN ('viewer', 'technician', 'billing', 'admin')),
    user_id      bigint NOT NULL,
    created_at   timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    used_at      timestamptz,
    PRIMARY KEY (id, workspace_id),
    UNIQUE (name, workspace_id),
    FOREIGN KEY (user_id, workspace_id) REFERENCES membership (user_id, workspace_id) ON DELETE CASCADE
);
COMMENT ON TABLE api_token IS 'What a program signs in with; SHA-256 of it is kept. It may never do more than the user who made it, and goes with them.';

CREATE TABLE audit_entry (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    actor_kind   text NOT NULL CHECK (actor_kind IN ('user', 'token', 'member', 'terminal', 'trueup')),
    actor_id     bigint,
    actor_name   text NOT NULL,
    session_id   bigint,
    token_id     bigint,
    member       text NOT NULL DEFAULT '',
    address      text NOT NULL DEFAULT '',
    request      text NOT NULL DEFAULT '',
    action       text NOT NULL CHECK (action ~ '^[a-z0-9_]{1,64}$'),
    text         text NOT NULL DEFAULT '',
    customer_id  bigint,
    subject_kind text NOT NULL DEFAULT '',
    subject_id   text NOT NULL DEFAULT '',
    subject_name text NOT NULL DEFAULT '',
    before       jsonb,
    after        jsonb
);
CREATE INDEX audit_entry_of_workspace ON audit_entry (workspace_id, id DESC);
CREATE INDEX audit_entry_of_customer ON audit_entry (customer_id, id DESC) WHERE customer_id IS NOT NULL;
COMMENT ON TABLE audit_entry IS 'Who did what from where, before and after, without secrets. Rows are added and never changed or deleted; a trigger sees to that. It refers to nothing, so that nothing takes it along.';

-- +goose StatementBegin
CREATE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is only added to' USING ERRCODE = 'insufficient_privilege';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_entry_stays();
CREATE TRIGGER audit_entry_stays_whole BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_stays();

-- +goose Down

DROP TABLE audit_entry;
DROP FUNCTION audit_entry_stays;
DROP TABLE api_token;
DROP TABLE sign_in_delay;
DROP TABLE one_time_link;
DROP TABLE invitation;
DROP TABLE user_session;
DROP TABLE sign_in_flow;
DROP TABLE user_identity;
DROP TABLE sign_in_provider;
DROP TABLE sign_in_policy;
DROP TABLE membership;
DROP TABLE recovery_code;
DROP TABLE user_account;
