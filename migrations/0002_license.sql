-- +goose Up

CREATE TABLE evidence (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    workspace_id bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    tenant       text NOT NULL,
    hash         bytea NOT NULL,
    body         jsonb NOT NULL,
    first_read   timestamptz NOT NULL,
    PRIMARY KEY (id, workspace_id),
    UNIQUE (tenant, hash, workspace_id)
);
COMMENT ON TABLE evidence IS 'What Microsoft answered for a tenant, kept once for each content; evidence_read says when. Users are in holding.';
COMMENT ON COLUMN evidence.hash IS 'SHA-256 of the body in its canonical order.';

CREATE TABLE tenant_state (
    workspace_id bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    tenant       text NOT NULL,
    evidence_id  bigint NOT NULL,
    read_at      timestamptz NOT NULL,
    hash         bytea NOT NULL,
    holders_hash bytea NOT NULL,
    PRIMARY KEY (tenant, workspace_id),
    FOREIGN KEY (workspace_id, evidence_id) REFERENCES evidence (workspace_id, id)
);
COMMENT ON TABLE tenant_state IS 'The last content of a tenant that was taken apart into license and holding rows: the same content again writes nothing.';
COMMENT ON COLUMN tenant_state.hash IS 'That of the evidence.';
COMMENT ON COLUMN tenant_state.read_at IS 'The read that brought it, not the last one: an unchanged read is a row of evidence_read alone.';

CREATE TABLE license (
    workspace_id  bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    tenant        text NOT NULL,
    sku           text NOT NULL,
    subscription  text NOT NULL DEFAULT '',
    part_number   text NOT NULL DEFAULT '',
    name          text NOT NULL DEFAULT '',
    company_wide  boolean NOT NULL DEFAULT false,
    enabled       integer NOT NULL DEFAULT 0,
    warning       integer NOT NULL DEFAULT 0,
    suspended     integer NOT NULL DEFAULT 0,
    locked_out    integer NOT NULL DEFAULT 0,
    consumed      integer NOT NULL DEFAULT 0,
    seats         integer NOT NULL DEFAULT 0,
    status        text NOT NULL DEFAULT '',
    trial         boolean NOT NULL DEFAULT false,
    commerce      text NOT NULL DEFAULT '',
    renewal       timestamptz,
    term          text NOT NULL DEFAULT '',
    term_guess    text NOT NULL DEFAULT '',
    billing_cycle text NOT NULL DEFAULT '',
    first_seen    date NOT NULL,
    last_seen     date NOT NULL,
    gone_on       date,
    PRIMARY KEY (tenant, sku, subscription, workspace_id)
);
COMMENT ON TABLE license IS 'The licenses of a tenant as last seen: a row for a SKU (subscription empty) and one for each of its subscriptions.';
COMMENT ON COLUMN license.last_seen IS 'The day of the last content that had it; unchanged reads since then stand in evidence_read.';
COMMENT ON COLUMN license.gone_on IS 'The day of the complete read that no longer had it.';

CREATE TABLE holder (
    workspace_id bigint NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    tenant       text NOT NULL,
    user_id      text NOT NULL,
    name         text NOT NULL,
    upn          text NOT NULL,
    enabled      boolean NOT NULL,
    PRIMARY KEY (tenant, user_id, workspace_id)
);
COMMENT ON TABLE holder IS 'A user of a tenant who holds or held a license, named as last seen.';

CREATE TABLE holding (
    workspace_id bigint NOT NULL,
    tenant       text NOT NULL,
    sku          text NOT NULL,
    user_id      text NOT NULL,
    from_day     date NOT NULL,
    to_day       date,
    PRIMARY KEY (tenant, sku, user_id, from_day, workspace_id),
    FOREIGN KEY (workspace_id, tenant, user_id) REFERENCES holder (workspace_id, tenant, user_id) ON DELETE CASCADE,
    CHECK (to_day >= from_day)
);
CREATE UNIQUE INDEX holding_open ON holding (tenant, sku, user_id, workspace_id) WHERE to_day IS NULL;
COMMENT ON TABLE holding IS 'Who held which SKU from day to day, both included; an open interval has no last day.';

CREATE TABLE sku_name (
    sku          text PRIMARY KEY,
    part_number  text NOT NULL,
    name         text NOT NULL,
    refreshed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sku_name IS 'Microsoft''s public names of SKUs as refreshed; newer than the built-in table. The same for all workspaces.';

CREATE TABLE link (
    workspace_id        bigint NOT NULL,
    key                 text NOT NULL CHECK (key ~ '^[a-z2-7]{10}$'),
    customer_id         bigint NOT NULL,
    tenant              text NOT NULL,
    sku                 text NOT NULL,
    subscription        text NOT NULL DEFAULT '',
    label               text NOT NULL DEFAULT '',
    removed             boolean NOT NULL DEFAULT false,
    do_not_bill         text NOT NULL DEFAULT '',
    profile_id          bigint,
    agreement_id        integer NOT NULL DEFAULT 0,
    agreement_name      text NOT NULL DEFAULT '',
    options             jsonb NOT NULL,
    answer              jsonb,
    drift               jsonb,
    stay_deleted        boolean NOT NULL DEFAULT false,
    gone_since          date,
    approved            text NOT NULL DEFAULT '',
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key, workspace_id),
    UNIQUE (customer_id, tenant, sku, subscription, workspace_id),
    FOREIGN KEY (workspace_id, customer_id) REFERENCES customer (workspace_id, id),
    FOREIGN KEY (workspace_id, profile_id) REFERENCES billing_profile (workspace_id, id),
    CHECK (removed OR (do_not_bill <> '') <> (profile_id IS NOT NULL AND agreement_id <> 0))
);
CREATE INDEX link_of_profile ON link (profile_id);
COMMENT ON TABLE link IS 'What a person decided for a license. Never deleted: a removed one keeps its key and ledgers, and linking the license again revives it.';
COMMENT ON COLUMN link.key IS 'Random; stands in the serials of the link''s lines in Manage.';
COMMENT ON COLUMN link.agreement_name IS 'What the person called the agreement; the id decides, whatever gets the name later.';
COMMENT ON COLUMN link.approved IS 'The fingerprint of the decision that a person approved.';

CREATE TABLE ledger (
    workspace_id bigint NOT NULL,
    link_key     text NOT NULL,
    position     integer NOT NULL CHECK (position >= 0),
    agreement_id integer NOT NULL,
    product_id   integer NOT NULL,
    state        jsonb NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (link_key, position, workspace_id),
    FOREIGN KEY (workspace_id, link_key) REFERENCES link (workspace_id, key)
);
COMMENT ON TABLE ledger IS 'The memory of a link on one agreement and product: due, billed, seen and the lines as left. The last position is the current one.';

-- +goose Down

DROP TABLE ledger;
DROP TABLE link;
DROP TABLE sku_name;
DROP TABLE holding;
DROP TABLE holder;
DROP TABLE license;
DROP TABLE tenant_state;
DROP TABLE evidence;
