-- +goose Up

CREATE TABLE sync_state (
    workspace_id  bigint NOT NULL,
    customer_id   bigint NOT NULL,
    due_at        timestamptz,
    due_reason    text NOT NULL DEFAULT '' CHECK (due_reason IN ('', 'onDemand', 'approval', 'callback', 'nightly')),
    priority      smallint NOT NULL DEFAULT 3 CHECK (priority BETWEEN 0 AND 3),
    requested_seq bigint NOT NULL DEFAULT 0,
    claimed_seq   bigint NOT NULL DEFAULT 0,
    done_seq      bigint NOT NULL DEFAULT 0,
    lease_owner   text,
    lease_until   timestamptz,
    attempt       bigint NOT NULL DEFAULT 0,
    failures      integer NOT NULL DEFAULT 0,
    last_error    text NOT NULL DEFAULT '',
    PRIMARY KEY (customer_id, workspace_id),
    FOREIGN KEY (workspace_id, customer_id) REFERENCES customer (workspace_id, id) ON DELETE CASCADE,
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK (done_seq <= claimed_seq AND claimed_seq <= requested_seq),
    CHECK (due_at IS NOT NULL OR (lease_owner IS NULL AND requested_seq = done_seq))
) WITH (fillfactor = 70);
CREATE INDEX sync_state_due ON sync_state (priority, due_at, customer_id) WHERE due_at IS NOT NULL;
COMMENT ON TABLE sync_state IS 'The work: one row a customer. Due rows are claimed with a lease; a request during a run makes the row due again.';
COMMENT ON COLUMN sync_state.due_at IS 'When it may be claimed; null when nothing was requested since it was last done.';
COMMENT ON COLUMN sync_state.priority IS '0 on demand, 1 approval, 2 callback, 3 nightly: the reason''s place in the claim order.';
COMMENT ON COLUMN sync_state.claimed_seq IS 'The last request that the newest claim saw.';
COMMENT ON COLUMN sync_state.attempt IS 'Goes up with every claim and never down: together with the owner it fences what a run may still write.';
COMMENT ON COLUMN sync_state.failures IS 'Failed runs in a row, for the backoff.';

CREATE TABLE worker (
    owner      text PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE worker IS 'The heartbeats of the processes that claim work; the live ones share the Manage budget in equal parts.';

-- +goose Down

DROP TABLE worker;
DROP TABLE sync_state;
