-- +goose Up

CREATE TABLE callback (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    message_id   text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('', 'agreement', 'company')),
    record_id    integer NOT NULL CHECK (record_id >= 0),
    action       text NOT NULL DEFAULT '',
    member       text NOT NULL DEFAULT '',
    signature    text NOT NULL,
    query        text NOT NULL DEFAULT '',
    body         bytea,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'heeded', 'beside', 'refused', 'unknown')),
    reason       text NOT NULL DEFAULT '',
    received_at  timestamptz NOT NULL DEFAULT now(),
    not_before   timestamptz NOT NULL DEFAULT now(),
    tries        integer NOT NULL DEFAULT 0,
    closed_at    timestamptz,
    UNIQUE (message_id, workspace_id),
    CHECK ((state = 'waiting') = (closed_at IS NULL)),
    CHECK ((state = 'waiting') = (body IS NOT NULL))
);
CREATE INDEX callback_waiting ON callback (workspace_id, kind, record_id, received_at, not_before) WHERE state = 'waiting';
CREATE INDEX callback_of_workspace ON callback (workspace_id, received_at);
CREATE INDEX link_of_agreement ON link (agreement_id);
CREATE INDEX ledger_of_agreement ON ledger (agreement_id);
COMMENT ON TABLE callback IS 'Callbacks of Manage as they arrived. One is kept before it is answered, then checked; its body goes when it is closed, its row some days later.';
COMMENT ON COLUMN callback.message_id IS 'Of the message as it says, else of its bytes: the same twice is one.';
COMMENT ON COLUMN callback.kind IS 'Of the record, as the message says before it was checked; empty for another.';
COMMENT ON COLUMN callback.member IS 'Who changed the record, as the checked message says.';
COMMENT ON COLUMN callback.query IS 'What Manage appended to the address: not signed.';
COMMENT ON COLUMN callback.state IS 'waiting; heeded: customers were marked due; beside: it concerns none; refused: its signature is not that of the workspace''s Manage; unknown: that could not be found out in time.';
COMMENT ON COLUMN callback.not_before IS 'When it may be looked at: later while a process is at it, and after a failure.';

-- +goose Down

DROP INDEX ledger_of_agreement;
DROP INDEX link_of_agreement;
DROP TABLE callback;
