-- +goose Up

ALTER TABLE workspace ADD COLUMN setup_skipped text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN workspace.setup_skipped IS 'Steps of setting up that a person left out.';

ALTER TABLE connection ADD COLUMN about jsonb NOT NULL DEFAULT '{}';
ALTER TABLE connection ADD COLUMN saved jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN connection.about IS 'What the other side said of itself when it was last tested; never a secret.';
COMMENT ON COLUMN connection.saved IS 'When and by whom each secret was saved, by its column''s name.';

ALTER TABLE agreement_type ADD COLUMN confirmed_at timestamptz;
ALTER TABLE agreement_type ADD COLUMN confirmed_by text NOT NULL DEFAULT '';
COMMENT ON COLUMN agreement_type.confirmed_at IS 'When a person said through when it is invoiced; null: nobody did.';

CREATE TABLE consent_flow (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state_hash    bytea NOT NULL UNIQUE,
    workspace_id  bigint NOT NULL,
    connection_id bigint NOT NULL,
    user_id       bigint NOT NULL,
    session_id    bigint NOT NULL,
    verifier      bytea,
    customer_id   bigint,
    tenant        text NOT NULL DEFAULT '',
    return_to     text NOT NULL DEFAULT '',
    ends_at       timestamptz NOT NULL,
    FOREIGN KEY (workspace_id, connection_id) REFERENCES connection (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, customer_id) REFERENCES customer (workspace_id, id)
);
CREATE INDEX consent_flow_of_connection ON consent_flow (connection_id);
CREATE INDEX consent_flow_ends ON consent_flow (ends_at);
COMMENT ON TABLE consent_flow IS 'A sign-in or consent at Microsoft that is not back yet: taken once, by the session that began it.';
COMMENT ON COLUMN consent_flow.state_hash IS 'SHA-256 of the state in the address.';
COMMENT ON COLUMN consent_flow.verifier IS 'Sealed, with table, row and column as additional data; null for a consent of a tenant.';
COMMENT ON COLUMN consent_flow.tenant IS 'The tenant whose administrator consents; empty for the sign-in of a partner.';

CREATE TABLE tenant_consent (
    workspace_id  bigint NOT NULL,
    connection_id bigint NOT NULL,
    tenant        text NOT NULL CHECK (tenant <> ''),
    name          text NOT NULL DEFAULT '',
    state         text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    code          text NOT NULL DEFAULT '',
    text          text NOT NULL DEFAULT '',
    action        text NOT NULL DEFAULT '',
    at            timestamptz,
    lease_until   timestamptz,
    PRIMARY KEY (tenant, connection_id, workspace_id),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES connection (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX tenant_consent_of_connection ON tenant_consent (connection_id);
COMMENT ON TABLE tenant_consent IS 'How the consent of a partner''s tenant stands: one at a time is running, and one whose lease ended is taken again.';

ALTER TABLE cutover_change ADD COLUMN quantity numeric NOT NULL DEFAULT 0;
ALTER TABLE cutover_change ADD COLUMN monthly numeric NOT NULL DEFAULT 0;
ALTER TABLE cutover_change ADD COLUMN currency text NOT NULL DEFAULT '';
ALTER TABLE cutover_change ADD COLUMN notes text[] NOT NULL DEFAULT '{}';
ALTER TABLE cutover_change ADD COLUMN made_by text NOT NULL DEFAULT '';
COMMENT ON COLUMN cutover_change.notes IS 'What the double-billing check said, as it was shown.';

-- +goose Down

ALTER TABLE cutover_change DROP COLUMN made_by;
ALTER TABLE cutover_change DROP COLUMN notes;
ALTER TABLE cutover_change DROP COLUMN currency;
ALTER TABLE cutover_change DROP COLUMN monthly;
ALTER TABLE cutover_change DROP COLUMN quantity;
DROP TABLE tenant_consent;
DROP TABLE consent_flow;
ALTER TABLE agreement_type DROP COLUMN confirmed_by;
ALTER TABLE agreement_type DROP COLUMN confirmed_at;
ALTER TABLE connection DROP COLUMN saved;
ALTER TABLE connection DROP COLUMN about;
ALTER TABLE workspace DROP COLUMN setup_skipped;
