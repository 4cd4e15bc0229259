-- +goose Up

CREATE TABLE run (
    id            bigint GENERATED ALWAYS AS IDENTITY,
    workspace_id  bigint NOT NULL,
    customer_id   bigint NOT NULL,
    trigger       text NOT NULL CHECK (trigger IN ('onDemand', 'approval', 'callback', 'nightly')),
    status        text NOT NULL CHECK (status IN ('running', 'done', 'held', 'failed', 'stopped')),
    day           date NOT NULL,
    started_at    timestamptz NOT NULL,
    finished_at   timestamptz,
    error_code    text NOT NULL DEFAULT '',
    error_message text NOT NULL DEFAULT '',
    error_action  text NOT NULL DEFAULT '',
    PRIMARY KEY (id, workspace_id),
    FOREIGN KEY (workspace_id, customer_id) REFERENCES customer (workspace_id, id)
);
CREATE INDEX run_of_customer ON run (customer_id, id);
CREATE INDEX run_running ON run (customer_id) WHERE status = 'running';
COMMENT ON TABLE run IS 'One sync of one customer. One that was cut is stopped when the next one begins.';

CREATE TABLE evidence_read (
    workspace_id bigint NOT NULL,
    run_id       bigint NOT NULL,
    tenant       text NOT NULL,
    evidence_id  bigint,
    read_at      timestamptz NOT NULL,
    fault        jsonb,
    PRIMARY KEY (run_id, tenant, workspace_id),
    FOREIGN KEY (workspace_id, run_id) REFERENCES run (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, evidence_id) REFERENCES evidence (workspace_id, id),
    CHECK ((evidence_id IS NULL) <> (fault IS NULL))
);
CREATE INDEX evidence_read_of_evidence ON evidence_read (evidence_id);
COMMENT ON TABLE evidence_read IS 'A read of a tenant in a run: the evidence it brought, or the fault for which there is none.';

CREATE TABLE decision (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id  bigint NOT NULL,
    run_id        bigint NOT NULL,
    link_key      text NOT NULL,
    fingerprint   text NOT NULL,
    ledgers_after jsonb NOT NULL,
    open          boolean NOT NULL DEFAULT true,
    journaled_at  timestamptz NOT NULL DEFAULT now(),
    closed_at     timestamptz,
    superseded_by bigint REFERENCES decision (id) ON DELETE SET NULL,
    FOREIGN KEY (workspace_id, run_id) REFERENCES run (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, link_key) REFERENCES link (workspace_id, key),
    CHECK (open = (closed_at IS NULL))
);
CREATE UNIQUE INDEX decision_open ON decision (link_key, workspace_id) WHERE open;
CREATE INDEX decision_of_run ON decision (run_id);
CREATE INDEX decision_superseded ON decision (superseded_by) WHERE superseded_by IS NOT NULL;
COMMENT ON COLUMN decision.superseded_by IS 'The newer decision that closed it; when that one is taken back unwritten, this one is open again.';
COMMENT ON TABLE decision IS 'The writes of a link in a run, decided before the first of them. Open until the ledgers after it are saved: an open one was cut.';

CREATE TABLE run_change (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id   bigint NOT NULL,
    run_id         bigint NOT NULL,
    decision_id    bigint REFERENCES decision (id) ON DELETE CASCADE,
    group_name     text NOT NULL,
    link_key       text NOT NULL,
    license        text NOT NULL,
    agreement_id   integer NOT NULL,
    agreement_name text NOT NULL,
    action         text NOT NULL CHECK (action IN ('keep', 'create', 'update', 'cancel', 'none')),
    state          text NOT NULL CHECK (state IN ('planned', 'written', 'held', 'failed')),
    hold           text NOT NULL DEFAULT '',
    reason         jsonb NOT NULL,
    before         jsonb,
    after          jsonb,
    addition_id    integer,
    seats_seen     integer NOT NULL,
    seats_billed   integer NOT NULL,
    currency       text NOT NULL,
    monthly        numeric NOT NULL,
    next_invoice   numeric NOT NULL,
    error          text NOT NULL DEFAULT '',
    closed_at      timestamptz,
    FOREIGN KEY (workspace_id, run_id) REFERENCES run (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX run_change_of_run ON run_change (run_id, id);
CREATE INDEX run_change_of_decision ON run_change (decision_id);
CREATE INDEX run_change_of_link ON run_change (link_key, run_id);
CREATE INDEX run_change_of_agreement ON run_change (agreement_id, run_id);
COMMENT ON TABLE run_change IS 'The journal: a change is planned here before any effect in Manage, and its outcome closes it.';

CREATE TABLE open_plan (
    workspace_id bigint NOT NULL,
    link_key     text NOT NULL,
    customer_id  bigint NOT NULL,
    run_id       bigint NOT NULL,
    fingerprint  text NOT NULL,
    hold         text NOT NULL CHECK (hold <> ''),
    holds        jsonb NOT NULL,
    changes      jsonb NOT NULL,
    first_seen   date NOT NULL,
    last_day     date,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (link_key, workspace_id),
    FOREIGN KEY (workspace_id, link_key) REFERENCES link (workspace_id, key),
    FOREIGN KEY (workspace_id, customer_id) REFERENCES customer (workspace_id, id),
    FOREIGN KEY (workspace_id, run_id) REFERENCES run (workspace_id, id)
);
CREATE INDEX open_plan_of_customer ON open_plan (customer_id);
CREATE INDEX open_plan_of_run ON open_plan (run_id);
COMMENT ON TABLE open_plan IS 'The one plan of a link that waits for a person; a newer one replaces it.';
COMMENT ON COLUMN open_plan.hold IS 'The first of its holds.';
COMMENT ON COLUMN open_plan.first_seen IS 'The day since which the link waits without a break.';
COMMENT ON COLUMN open_plan.last_day IS 'The last day to approve before money is lost, where there is one.';

-- +goose Down

DROP TABLE open_plan;
DROP TABLE run_change;
DROP TABLE decision;
DROP TABLE evidence_read;
DROP TABLE run;
