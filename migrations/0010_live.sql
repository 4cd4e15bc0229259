-- +goose Up

ALTER TABLE sync_state
    ADD COLUMN asked_by text NOT NULL DEFAULT '',
    ADD COLUMN claimed_by text NOT NULL DEFAULT '',
    ADD COLUMN halted bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN sync_state.asked_by IS 'The person who asked for the next run; empty when nobody did.';
COMMENT ON COLUMN sync_state.claimed_by IS 'The person who asked for the run of the newest claim.';
COMMENT ON COLUMN sync_state.halted IS 'The attempt that a person wants to end: it stops between two groups of writes.';

ALTER TABLE run ADD COLUMN asked_by text NOT NULL DEFAULT '';
COMMENT ON COLUMN run.asked_by IS 'The person who asked for it, as named then.';

CREATE INDEX run_change_written ON run_change (workspace_id, closed_at) WHERE state = 'written';

CREATE UNLOGGED TABLE live_step (
    customer_id  bigint NOT NULL,
    workspace_id bigint NOT NULL,
    step         text NOT NULL CHECK (step IN ('fetch', 'plan', 'write', 'finish')),
    done         integer NOT NULL DEFAULT 0,
    total        integer NOT NULL DEFAULT 0,
    PRIMARY KEY (customer_id, workspace_id)
);
COMMENT ON TABLE live_step IS 'What a running customer is at, for whoever looks. It means nothing without a lease on the customer, and a crash of the database may take it.';

CREATE UNLOGGED TABLE live_work (
    workspace_id bigint PRIMARY KEY,
    began_at     timestamptz NOT NULL,
    after_run    bigint NOT NULL
);
COMMENT ON TABLE live_work IS 'Since when a workspace has had work without a break, and the newest run before it. The row goes with the last customer; a crash of the database may take it.';

CREATE TABLE customer_trend (
    customer_id  bigint NOT NULL,
    currency     text NOT NULL,
    day          date NOT NULL,
    workspace_id bigint NOT NULL,
    purchased    integer NOT NULL,
    assigned     integer NOT NULL,
    billed_seats integer NOT NULL,
    billed       numeric NOT NULL,
    unused       numeric NOT NULL,
    PRIMARY KEY (customer_id, currency, day, workspace_id),
    FOREIGN KEY (workspace_id, customer_id) REFERENCES customer (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX customer_trend_of_workspace ON customer_trend (workspace_id, day);
COMMENT ON TABLE customer_trend IS 'Seats and money a month of a customer from a day on, until its next row in the currency: a run adds one only where they changed.';
COMMENT ON COLUMN customer_trend.currency IS 'Of the money and of the billed seats. What was purchased and assigned stands in the row without one.';

-- +goose Down

DROP TABLE customer_trend;
DROP TABLE live_work;
DROP TABLE live_step;
DROP INDEX run_change_written;
ALTER TABLE run DROP COLUMN asked_by;
ALTER TABLE sync_state DROP COLUMN halted, DROP COLUMN claimed_by, DROP COLUMN asked_by;
