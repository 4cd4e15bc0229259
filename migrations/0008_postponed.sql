-- +goose Up

CREATE TABLE plan_postponed (
    workspace_id bigint NOT NULL,
    link_key     text NOT NULL,
    fingerprint  text NOT NULL,
    until        date NOT NULL,
    reason       text NOT NULL CHECK (reason <> ''),
    made_by      text NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (link_key, workspace_id),
    FOREIGN KEY (workspace_id, link_key) REFERENCES link (workspace_id, key)
);
COMMENT ON TABLE plan_postponed IS 'An open plan that a person put aside through a day. It speaks of the plan as it was shown: another one is not put aside.';

-- +goose Down

DROP TABLE plan_postponed;
