-- +goose Up

CREATE TABLE installation (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id    bigint NOT NULL UNIQUE REFERENCES workspace (id) ON DELETE CASCADE,
    embed_key       text NOT NULL UNIQUE CHECK (embed_key <> ''),
    callback_secret bytea,
    callback_hash   bytea,
    manage          text NOT NULL DEFAULT '',
    public_url      text NOT NULL DEFAULT '',
    report          jsonb NOT NULL DEFAULT '{}',
    installed_at    timestamptz,
    installed_by    text NOT NULL DEFAULT '',
    checked_at      timestamptz,
    trouble         text NOT NULL DEFAULT '',
    trouble_action  text NOT NULL DEFAULT '',
    repaired_at     timestamptz,
    check_due_at    timestamptz,
    lease           text NOT NULL DEFAULT '',
    lease_until     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX installation_check_due ON installation (check_due_at);
COMMENT ON TABLE installation IS 'What Trueup made inside a workspace''s Manage, and by what its screens and callbacks are told apart from those of others.';
COMMENT ON COLUMN installation.embed_key IS 'Random, in the addresses of the screens and callbacks: it says which workspace is meant and is no secret.';
COMMENT ON COLUMN installation.callback_secret IS 'Of the address of callbacks; sealed, with table, row and column as additional data.';
COMMENT ON COLUMN installation.callback_hash IS 'SHA-256 of the secret, which is random: what arrives is compared with it.';
COMMENT ON COLUMN installation.manage IS 'Site and company in which the parts were made: their ids mean nothing in another.';
COMMENT ON COLUMN installation.report IS 'What the last look found, made and lacked; never an address.';
COMMENT ON COLUMN installation.trouble IS 'Why callbacks do not come, in words; empty: they do as far as the last look could tell.';
COMMENT ON COLUMN installation.repaired_at IS 'When a nightly look last found a callback disabled, edited or gone, and repaired it.';
COMMENT ON COLUMN installation.check_due_at IS 'When the nightly look is due; null until something was installed.';
COMMENT ON COLUMN installation.lease IS 'Who installs or removes at this moment, until lease_until: two at once would make everything twice.';

CREATE TABLE installation_part (
    name         text NOT NULL CHECK (name <> ''),
    kind         text NOT NULL CHECK (kind IN ('screen', 'callback')),
    workspace_id bigint NOT NULL REFERENCES installation (workspace_id) ON DELETE CASCADE,
    manage_id    integer NOT NULL,
    PRIMARY KEY (name, kind, workspace_id)
);
CREATE INDEX installation_part_of_workspace ON installation_part (workspace_id);
COMMENT ON TABLE installation_part IS 'A screen or callback that Trueup made in Manage, by its id there.';

-- +goose Down

DROP TABLE installation_part;
DROP TABLE installation;
