-- +goose Up

CREATE TABLE cutover_change (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id   bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    batch          text NOT NULL,
    company        text NOT NULL,
    agreement_id   integer NOT NULL,
    agreement_name text NOT NULL,
    addition_id    integer NOT NULL,
    product        text NOT NULL,
    serial         text NOT NULL,
    last_day_was   date,
    last_day       date NOT NULL,
    planned_at     timestamptz NOT NULL DEFAULT now(),
    closed_at      timestamptz,
    error          text NOT NULL DEFAULT ''
);
CREATE INDEX cutover_change_of_workspace ON cutover_change (workspace_id, id);
COMMENT ON TABLE cutover_change IS 'A line of another tool that was given a last day. The row is there before Manage is written to; one without closed_at was cut, and Manage says whether it was done.';
COMMENT ON COLUMN cutover_change.last_day_was IS 'Its cancelled date before; null when it was open.';

-- +goose Down

DROP TABLE cutover_change;
