-- +goose Up

CREATE TABLE embed_nonce (
    nonce_hash   bytea PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    fallback     boolean NOT NULL,
    ends_at      timestamptz NOT NULL
);
CREATE INDEX embed_nonce_ends ON embed_nonce (ends_at);
CREATE INDEX embed_nonce_of_workspace ON embed_nonce (workspace_id);
COMMENT ON TABLE embed_nonce IS 'SHA-256 of what a screen inside Manage makes itself known with. Using it deletes the row.';
COMMENT ON COLUMN embed_nonce.fallback IS 'It waits for a person who signs in, not for the word of Manage.';

CREATE TABLE embed_code (
    code_hash    bytea PRIMARY KEY,
    nonce_hash   bytea NOT NULL,
    workspace_id bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    user_id      bigint NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    ends_at      timestamptz NOT NULL
);
CREATE INDEX embed_code_ends ON embed_code (ends_at);
CREATE INDEX embed_code_of_workspace ON embed_code (workspace_id);
CREATE INDEX embed_code_of_user ON embed_code (user_id);
COMMENT ON TABLE embed_code IS 'SHA-256 of a one-time code that a signed-in person''s window hands to the screen which opened it. Using it deletes the row.';
COMMENT ON COLUMN embed_code.nonce_hash IS 'Of the screen that it is good for; the nonce is taken first, so nothing refers to its row.';

CREATE TABLE embed_session (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash   bytea NOT NULL UNIQUE,
    workspace_id bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    screen       text NOT NULL CHECK (screen IN ('agreement', 'company')),
    record_id    integer NOT NULL CHECK (record_id > 0),
    record_name  text NOT NULL,
    company_id   integer NOT NULL CHECK (company_id > 0),
    company_name text NOT NULL,
    member       text NOT NULL DEFAULT '',
    member_name  text NOT NULL DEFAULT '',
    user_id      bigint REFERENCES user_account (id) ON DELETE CASCADE,
    checked      boolean NOT NULL,
    created_at   timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    CHECK ((member <> '') = checked AND (user_id IS NULL) = checked)
);
CREATE INDEX embed_session_ends ON embed_session (ends_at);
CREATE INDEX embed_session_of_workspace ON embed_session (workspace_id);
CREATE INDEX embed_session_of_user ON embed_session (user_id) WHERE user_id IS NOT NULL;
COMMENT ON TABLE embed_session IS 'A screen inside Manage that somebody looks at. Its token is kept as SHA-256, and reaches this one record.';
COMMENT ON COLUMN embed_session.member IS 'For whom Manage vouched; the role is that of the user who is this member, as it stands now.';
COMMENT ON COLUMN embed_session.user_id IS 'Who signed in instead of a member.';
COMMENT ON COLUMN embed_session.checked IS 'The record was read with the member''s own rights.';

-- +goose Down

DROP TABLE embed_session;
DROP TABLE embed_code;
DROP TABLE embed_nonce;
