CREATE FUNCTION public.audit_entry_stays() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the audit is only added to' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TABLE public.agreement_type (
    workspace_id bigint NOT NULL,
    type_id integer NOT NULL,
    name text NOT NULL,
    inactive boolean DEFAULT false NOT NULL,
    arrears boolean DEFAULT false NOT NULL,
    confirmed_at timestamp with time zone,
    confirmed_by text DEFAULT ''::text NOT NULL
);

COMMENT ON TABLE public.agreement_type IS 'What the workspace says of an agreement type of Manage.';

COMMENT ON COLUMN public.agreement_type.arrears IS 'Invoiced through one cycle earlier than the day before the next invoice date.';

COMMENT ON COLUMN public.agreement_type.confirmed_at IS 'When a person said through when it is invoiced; null: nobody did.';

CREATE TABLE public.api_token (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    token_hash bytea NOT NULL,
    hint text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    user_id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT api_token_name_check CHECK ((name <> ''::text)),
    CONSTRAINT api_token_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'technician'::text, 'billing'::text, 'admin'::text])))
);

COMMENT ON TABLE public.api_token IS 'What a program signs in with; SHA-256 of it is kept. It may never do more than the user who made it, and goes with them.';

ALTER TABLE public.api_token ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.api_token_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.audit_entry (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    actor_kind text NOT NULL,
    actor_id bigint,
    actor_name text NOT NULL,
    session_id bigint,
    token_id bigint,
    member text DEFAULT ''::text NOT NULL,
    address text DEFAULT ''::text NOT NULL,
    request text DEFAULT ''::text NOT NULL,
    action text NOT NULL,
    text text DEFAULT ''::text NOT NULL,
    customer_id bigint,
    subject_kind text DEFAULT ''::text NOT NULL,
    subject_id text DEFAULT ''::text NOT NULL,
    subject_name text DEFAULT ''::text NOT NULL,
    before jsonb,
    after jsonb,
    CONSTRAINT audit_entry_action_check CHECK ((action ~ '^[a-z0-9_]{1,64}$'::text)),
    CONSTRAINT audit_entry_actor_kind_check CHECK ((actor_kind = ANY (ARRAY['user'::text, 'token'::text, 'member'::text, 'terminal'::text, 'trueup'::text])))
);

COMMENT ON TABLE public.audit_entry IS 'Who did what from where, before and after, without secrets. Rows are added and never changed or deleted; a trigger sees to that. It refers to nothing, so that nothing takes it along.';

ALTER TABLE public.audit_entry ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.billing_profile (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    name text NOT NULL,
    product_id integer NOT NULL,
    product_name text DEFAULT ''::text NOT NULL,
    price numeric,
    currency text DEFAULT ''::text NOT NULL,
    bill text NOT NULL,
    retired boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT billing_profile_bill_check CHECK ((bill = ANY (ARRAY['Billable'::text, 'DoNotBill'::text, 'NoCharge'::text]))),
    CONSTRAINT billing_profile_name_check CHECK ((name <> ''::text))
);

COMMENT ON TABLE public.billing_profile IS 'Which product, at which price, on which agreements a license is billed. One in use is retired, never deleted.';

COMMENT ON COLUMN public.billing_profile.product_name IS 'The catalog identifier as last read.';

COMMENT ON COLUMN public.billing_profile.price IS 'A custom price per cycle; null is the price of Manage.';

ALTER TABLE public.billing_profile ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.billing_profile_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.billing_profile_type (
    workspace_id bigint NOT NULL,
    profile_id bigint NOT NULL,
    type_id integer NOT NULL
);

COMMENT ON TABLE public.billing_profile_type IS 'The agreement types that a profile may be used with.';

CREATE TABLE public.callback (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    message_id text NOT NULL,
    kind text NOT NULL,
    record_id integer NOT NULL,
    action text DEFAULT ''::text NOT NULL,
    member text DEFAULT ''::text NOT NULL,
    signature text NOT NULL,
    query text DEFAULT ''::text NOT NULL,
    body bytea,
    state text DEFAULT 'waiting'::text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    not_before timestamp with time zone DEFAULT now() NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT callback_check CHECK (((state = 'waiting'::text) = (closed_at IS NULL))),
    CONSTRAINT callback_check1 CHECK (((state = 'waiting'::text) = (body IS NOT NULL))),
    CONSTRAINT callback_kind_check CHECK ((kind = ANY (ARRAY[''::text, 'agreement'::text, 'company'::text]))),
    CONSTRAINT callback_record_id_check CHECK ((record_id >= 0)),
    CONSTRAINT callback_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'heeded'::text, 'beside'::text, 'refused'::text, 'unknown'::text])))
);

COMMENT ON TABLE public.callback IS 'Callbacks of Manage as they arrived. One is kept before it is answered, then checked; its body goes when it is closed, its row some days later.';

COMMENT ON COLUMN public.callback.message_id IS 'Of the message as it says, else of its bytes: the same twice is one.';

COMMENT ON COLUMN public.callback.kind IS 'Of the record, as the message says before it was checked; empty for another.';

COMMENT ON COLUMN public.callback.member IS 'Who changed the record, as the checked message says.';

COMMENT ON COLUMN public.callback.query IS 'What Manage appended to the address: not signed.';

COMMENT ON COLUMN public.callback.state IS 'waiting; heeded: customers were marked due; beside: it concerns none; refused: its signature is not that of the workspace''s Manage; unknown: that could not be found out in time.';

COMMENT ON COLUMN public.callback.not_before IS 'When it may be looked at: later while a process is at it, and after a failure.';

ALTER TABLE public.callback ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.callback_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.connection (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    private_key bytea,
    client_secret bytea,
    client_certificate bytea,
    password bytea,
    refresh_token bytea,
    version bigint DEFAULT 1 NOT NULL,
    health text DEFAULT 'unknown'::text NOT NULL,
    health_code text DEFAULT ''::text NOT NULL,
    health_text text DEFAULT ''::text NOT NULL,
    health_action text DEFAULT ''::text NOT NULL,
    checked_at timestamp with time zone,
    expires_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    about jsonb DEFAULT '{}'::jsonb NOT NULL,
    saved jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT connection_health_check CHECK ((health = ANY (ARRAY['unknown'::text, 'healthy'::text, 'broken'::text]))),
    CONSTRAINT connection_kind_check CHECK ((kind = ANY (ARRAY['manage'::text, 'partnerApp'::text, 'partnerConsent'::text, 'tenantApp'::text, 'password'::text]))),
    CONSTRAINT connection_name_check CHECK ((name <> ''::text))
);

COMMENT ON TABLE public.connection IS 'A connection to Manage (one a workspace) or to Microsoft (several).';

COMMENT ON COLUMN public.connection.private_key IS 'Sealed, as all bytea columns here: AES-256-GCM with table, row and column as additional data.';

COMMENT ON COLUMN public.connection.version IS 'Goes up with every change of settings or secrets by a person; what was built from an older one is built anew.';

COMMENT ON COLUMN public.connection.expires_at IS 'When the secret, certificate or consent ends, where it is known.';

COMMENT ON COLUMN public.connection.about IS 'What the other side said of itself when it was last tested; never a secret.';

COMMENT ON COLUMN public.connection.saved IS 'When and by whom each secret was saved, by its column''s name.';

ALTER TABLE public.connection ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.connection_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.consent_flow (
    id bigint NOT NULL,
    state_hash bytea NOT NULL,
    workspace_id bigint NOT NULL,
    connection_id bigint NOT NULL,
    user_id bigint NOT NULL,
    session_id bigint NOT NULL,
    verifier bytea,
    customer_id bigint,
    tenant text DEFAULT ''::text NOT NULL,
    return_to text DEFAULT ''::text NOT NULL,
    ends_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.consent_flow IS 'A sign-in or consent at Microsoft that is not back yet: taken once, by the session that began it.';

COMMENT ON COLUMN public.consent_flow.state_hash IS 'SHA-256 of the state in the address.';

COMMENT ON COLUMN public.consent_flow.verifier IS 'Sealed, with table, row and column as additional data; null for a consent of a tenant.';

COMMENT ON COLUMN public.consent_flow.tenant IS 'The tenant whose administrator consents; empty for the sign-in of a partner.';

ALTER TABLE public.consent_flow ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.consent_flow_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.customer (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    company_id integer NOT NULL,
    identifier text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    removed_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.customer IS 'A company of Manage with its Microsoft tenants, as we sync it. Never deleted: what its links billed outlives it.';

COMMENT ON COLUMN public.customer.removed_at IS 'Set when a person took it out; its lines are still ended by runs. Adding the company again takes it back.';

ALTER TABLE public.customer ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.customer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.customer_tenant (
    workspace_id bigint NOT NULL,
    tenant text NOT NULL,
    customer_id bigint NOT NULL,
    "position" integer NOT NULL,
    domain text DEFAULT ''::text NOT NULL,
    connection_id bigint NOT NULL,
    CONSTRAINT customer_tenant_tenant_check CHECK ((tenant <> ''::text))
);

COMMENT ON TABLE public.customer_tenant IS 'A tenant of a customer and the connection that reads it. A tenant has one customer, or its seats would be billed twice.';

CREATE TABLE public.customer_trend (
    customer_id bigint NOT NULL,
    currency text NOT NULL,
    day date NOT NULL,
    workspace_id bigint NOT NULL,
    purchased integer NOT NULL,
    assigned integer NOT NULL,
    billed_seats integer NOT NULL,
    billed numeric NOT NULL,
    unused numeric NOT NULL
);

COMMENT ON TABLE public.customer_trend IS 'Seats and money a month of a customer from a day on, until its next row in the currency: a run adds one only where they changed.';

COMMENT ON COLUMN public.customer_trend.currency IS 'Of the money and of the billed seats. What was purchased and assigned stands in the row without one.';

CREATE TABLE public.cutover_change (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    batch text NOT NULL,
    company text NOT NULL,
    agreement_id integer NOT NULL,
    agreement_name text NOT NULL,
    addition_id integer NOT NULL,
    product text NOT NULL,
    serial text NOT NULL,
    last_day_was date,
    last_day date NOT NULL,
    planned_at timestamp with time zone DEFAULT now() NOT NULL,
    closed_at timestamp with time zone,
    error text DEFAULT ''::text NOT NULL,
    quantity numeric DEFAULT 0 NOT NULL,
    monthly numeric DEFAULT 0 NOT NULL,
    currency text DEFAULT ''::text NOT NULL,
    notes text[] DEFAULT '{}'::text[] NOT NULL,
    made_by text DEFAULT ''::text NOT NULL
);

COMMENT ON TABLE public.cutover_change IS 'A line of another tool that was given a last day. The row is there before Manage is written to; one without closed_at was cut, and Manage says whether it was done.';

COMMENT ON COLUMN public.cutover_change.last_day_was IS 'Its cancelled date before; null when it was open.';

COMMENT ON COLUMN public.cutover_change.notes IS 'What the double-billing check said, as it was shown.';

ALTER TABLE public.cutover_change ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.cutover_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.decision (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    run_id bigint NOT NULL,
    link_key text NOT NULL,
    fingerprint text NOT NULL,
    ledgers_after jsonb NOT NULL,
    open boolean DEFAULT true NOT NULL,
    journaled_at timestamp with time zone DEFAULT now() NOT NULL,
    closed_at timestamp with time zone,
    superseded_by bigint,
    CONSTRAINT decision_check CHECK ((open = (closed_at IS NULL)))
);

COMMENT ON TABLE public.decision IS 'The writes of a link in a run, decided before the first of them. Open until the ledgers after it are saved: an open one was cut.';

COMMENT ON COLUMN public.decision.superseded_by IS 'The newer decision that closed it; when that one is taken back unwritten, this one is open again.';

ALTER TABLE public.decision ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.decision_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.digest (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    user_id bigint NOT NULL,
    at_once boolean NOT NULL,
    day date NOT NULL,
    due_at timestamp with time zone NOT NULL,
    first_due_at timestamp with time zone NOT NULL,
    filled_at timestamp with time zone,
    sent_at timestamp with time zone,
    closed_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    claims bigint DEFAULT 0 NOT NULL,
    lease_owner text,
    lease_until timestamp with time zone,
    failed_at timestamp with time zone,
    last_error text DEFAULT ''::text NOT NULL,
    CONSTRAINT digest_check CHECK (((lease_owner IS NULL) = (lease_until IS NULL))),
    CONSTRAINT digest_check1 CHECK (((sent_at IS NULL) OR (closed_at IS NOT NULL)))
);

COMMENT ON TABLE public.digest IS 'A mail to a user that is due at a time: the next one by the day, and what is told at once. Claimed with a lease; one that could not be sent is due again later.';

COMMENT ON COLUMN public.digest.day IS 'By the user''s calendar. A day has one digest, whatever becomes of clocks and settings.';

COMMENT ON COLUMN public.digest.filled_at IS 'When it was decided what it tells: before the first try to send it, and not again after it.';

COMMENT ON COLUMN public.digest.claims IS 'Goes up with every claim: together with the owner it fences what a process may still do.';

ALTER TABLE public.digest ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.digest_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.embed_code (
    code_hash bytea NOT NULL,
    nonce_hash bytea NOT NULL,
    workspace_id bigint NOT NULL,
    user_id bigint NOT NULL,
    ends_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.embed_code IS 'SHA-256 of a one-time code that a signed-in person''s window hands to the screen which opened it. Using it deletes the row.';

COMMENT ON COLUMN public.embed_code.nonce_hash IS 'Of the screen that it is good for; the nonce is taken first, so nothing refers to its row.';

CREATE TABLE public.embed_nonce (
    nonce_hash bytea NOT NULL,
    workspace_id bigint NOT NULL,
    fallback boolean NOT NULL,
    ends_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.embed_nonce IS 'SHA-256 of what a screen inside Manage makes itself known with. Using it deletes the row.';

COMMENT ON COLUMN public.embed_nonce.fallback IS 'It waits for a person who signs in, not for the word of Manage.';

CREATE TABLE public.embed_session (
    id bigint NOT NULL,
    token_hash bytea NOT NULL,
    workspace_id bigint NOT NULL,
    screen text NOT NULL,
    record_id integer NOT NULL,
    record_name text NOT NULL,
    company_id integer NOT NULL,
    company_name text NOT NULL,
    member text DEFAULT ''::text NOT NULL,
    member_name text DEFAULT ''::text NOT NULL,
    user_id bigint,
    checked boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    CONSTRAINT embed_session_check CHECK ((((member <> ''::text) = checked) AND ((user_id IS NULL) = checked))),
    CONSTRAINT embed_session_company_id_check CHECK ((company_id > 0)),
    CONSTRAINT embed_session_record_id_check CHECK ((record_id > 0)),
    CONSTRAINT embed_session_screen_check CHECK ((screen = ANY (ARRAY['agreement'::text, 'company'::text])))
);

COMMENT ON TABLE public.embed_session IS 'A screen inside Manage that somebody looks at. Its token is kept as SHA-256, and reaches this one record.';

COMMENT ON COLUMN public.embed_session.member IS 'For whom Manage vouched; the role is that of the user who is this member, as it stands now.';

COMMENT ON COLUMN public.embed_session.user_id IS 'Who signed in instead of a member.';

COMMENT ON COLUMN public.embed_session.checked IS 'The record was read with the member''s own rights.';

ALTER TABLE public.embed_session ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.embed_session_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.evidence (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    tenant text NOT NULL,
    hash bytea NOT NULL,
    body jsonb NOT NULL,
    first_read timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.evidence IS 'What Microsoft answered for a tenant, kept once for each content; evidence_read says when. Users are in holding.';

COMMENT ON COLUMN public.evidence.hash IS 'SHA-256 of the body in its canonical order.';

ALTER TABLE public.evidence ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.evidence_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.evidence_read (
    workspace_id bigint NOT NULL,
    run_id bigint NOT NULL,
    tenant text NOT NULL,
    evidence_id bigint,
    read_at timestamp with time zone NOT NULL,
    fault jsonb,
    CONSTRAINT evidence_read_check CHECK (((evidence_id IS NULL) <> (fault IS NULL)))
);

COMMENT ON TABLE public.evidence_read IS 'A read of a tenant in a run: the evidence it brought, or the fault for which there is none.';

CREATE TABLE public.holder (
    workspace_id bigint NOT NULL,
    tenant text NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL,
    upn text NOT NULL,
    enabled boolean NOT NULL
);

COMMENT ON TABLE public.holder IS 'A user of a tenant who holds or held a license, named as last seen.';

CREATE TABLE public.holding (
    workspace_id bigint NOT NULL,
    tenant text NOT NULL,
    sku text NOT NULL,
    user_id text NOT NULL,
    from_day date NOT NULL,
    to_day date,
    CONSTRAINT holding_check CHECK ((to_day >= from_day))
);

COMMENT ON TABLE public.holding IS 'Who held which SKU from day to day, both included; an open interval has no last day.';

CREATE TABLE public.installation (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    embed_key text NOT NULL,
    callback_secret bytea,
    callback_hash bytea,
    manage text DEFAULT ''::text NOT NULL,
    public_url text DEFAULT ''::text NOT NULL,
    report jsonb DEFAULT '{}'::jsonb NOT NULL,
    installed_at timestamp with time zone,
    installed_by text DEFAULT ''::text NOT NULL,
    checked_at timestamp with time zone,
    trouble text DEFAULT ''::text NOT NULL,
    trouble_action text DEFAULT ''::text NOT NULL,
    repaired_at timestamp with time zone,
    check_due_at timestamp with time zone,
    lease text DEFAULT ''::text NOT NULL,
    lease_until timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT installation_embed_key_check CHECK ((embed_key <> ''::text))
);

COMMENT ON TABLE public.installation IS 'What Trueup made inside a workspace''s Manage, and by what its screens and callbacks are told apart from those of others.';

COMMENT ON COLUMN public.installation.embed_key IS 'Random, in the addresses of the screens and callbacks: it says which workspace is meant and is no secret.';

COMMENT ON COLUMN public.installation.callback_secret IS 'Of the address of callbacks; sealed, with table, row and column as additional data.';

COMMENT ON COLUMN public.installation.callback_hash IS 'SHA-256 of the secret, which is random: what arrives is compared with it.';

COMMENT ON COLUMN public.installation.manage IS 'Site and company in which the parts were made: their ids mean nothing in another.';

COMMENT ON COLUMN public.installation.report IS 'What the last look found, made and lacked; never an address.';

COMMENT ON COLUMN public.installation.trouble IS 'Why callbacks do not come, in words; empty: they do as far as the last look could tell.';

COMMENT ON COLUMN public.installation.repaired_at IS 'When a nightly look last found a callback disabled, edited or gone, and repaired it.';

COMMENT ON COLUMN public.installation.check_due_at IS 'When the nightly look is due; null until something was installed.';

COMMENT ON COLUMN public.installation.lease IS 'Who installs or removes at this moment, until lease_until: two at once would make everything twice.';

ALTER TABLE public.installation ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.installation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.installation_part (
    name text NOT NULL,
    kind text NOT NULL,
    workspace_id bigint NOT NULL,
    manage_id integer NOT NULL,
    CONSTRAINT installation_part_kind_check CHECK ((kind = ANY (ARRAY['screen'::text, 'callback'::text]))),
    CONSTRAINT installation_part_name_check CHECK ((name <> ''::text))
);

COMMENT ON TABLE public.installation_part IS 'A screen or callback that Trueup made in Manage, by its id there.';

CREATE TABLE public.invitation (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    token_hash bytea NOT NULL,
    invited_by text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    CONSTRAINT invitation_email_check CHECK (((email <> ''::text) AND (email = lower(email)))),
    CONSTRAINT invitation_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'technician'::text, 'billing'::text, 'admin'::text])))
);

COMMENT ON TABLE public.invitation IS 'A role that waits for whoever has the link, of which SHA-256 is kept. Accepting or taking it back deletes the row.';

ALTER TABLE public.invitation ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.invitation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.ledger (
    workspace_id bigint NOT NULL,
    link_key text NOT NULL,
    "position" integer NOT NULL,
    agreement_id integer NOT NULL,
    product_id integer NOT NULL,
    state jsonb NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ledger_position_check CHECK (("position" >= 0))
);

COMMENT ON TABLE public.ledger IS 'The memory of a link on one agreement and product: due, billed, seen and the lines as left. The last position is the current one.';

CREATE TABLE public.license (
    workspace_id bigint NOT NULL,
    tenant text NOT NULL,
    sku text NOT NULL,
    subscription text DEFAULT ''::text NOT NULL,
    part_number text DEFAULT ''::text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    company_wide boolean DEFAULT false NOT NULL,
    enabled integer DEFAULT 0 NOT NULL,
    warning integer DEFAULT 0 NOT NULL,
    suspended integer DEFAULT 0 NOT NULL,
    locked_out integer DEFAULT 0 NOT NULL,
    consumed integer DEFAULT 0 NOT NULL,
    seats integer DEFAULT 0 NOT NULL,
    status text DEFAULT ''::text NOT NULL,
    trial boolean DEFAULT false NOT NULL,
    commerce text DEFAULT ''::text NOT NULL,
    renewal timestamp with time zone,
    term text DEFAULT ''::text NOT NULL,
    term_guess text DEFAULT ''::text NOT NULL,
    billing_cycle text DEFAULT ''::text NOT NULL,
    first_seen date NOT NULL,
    last_seen date NOT NULL,
    gone_on date
);

COMMENT ON TABLE public.license IS 'The licenses of a tenant as last seen: a row for a SKU (subscription empty) and one for each of its subscriptions.';

COMMENT ON COLUMN public.license.last_seen IS 'The day of the last content that had it; unchanged reads since then stand in evidence_read.';

COMMENT ON COLUMN public.license.gone_on IS 'The day of the complete read that no longer had it.';

CREATE TABLE public.link (
    workspace_id bigint NOT NULL,
    key text NOT NULL,
    customer_id bigint NOT NULL,
    tenant text NOT NULL,
    sku text NOT NULL,
    subscription text DEFAULT ''::text NOT NULL,
    label text DEFAULT ''::text NOT NULL,
    removed boolean DEFAULT false NOT NULL,
    do_not_bill text DEFAULT ''::text NOT NULL,
    profile_id bigint,
    agreement_id integer DEFAULT 0 NOT NULL,
    agreement_name text DEFAULT ''::text NOT NULL,
    options jsonb NOT NULL,
    answer jsonb,
    drift jsonb,
    stay_deleted boolean DEFAULT false NOT NULL,
    gone_since date,
    approved text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT link_check CHECK ((removed OR ((do_not_bill <> ''::text) <> ((profile_id IS NOT NULL) AND (agreement_id <> 0))))),
    CONSTRAINT link_key_check CHECK ((key ~ '^[a-z2-7]{10}$'::text))
);

COMMENT ON TABLE public.link IS 'What a person decided for a license. Never deleted: a removed one keeps its key and ledgers, and linking the license again revives it.';

COMMENT ON COLUMN public.link.key IS 'Random; stands in the serials of the link''s lines in Manage.';

COMMENT ON COLUMN public.link.agreement_name IS 'What the person called the agreement; the id decides, whatever gets the name later.';

COMMENT ON COLUMN public.link.approved IS 'The fingerprint of the decision that a person approved.';

CREATE UNLOGGED TABLE public.live_step (
    customer_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    step text NOT NULL,
    done integer DEFAULT 0 NOT NULL,
    total integer DEFAULT 0 NOT NULL,
    CONSTRAINT live_step_step_check CHECK ((step = ANY (ARRAY['fetch'::text, 'plan'::text, 'write'::text, 'finish'::text])))
);

COMMENT ON TABLE public.live_step IS 'What a running customer is at, for whoever looks. It means nothing without a lease on the customer, and a crash of the database may take it.';

CREATE UNLOGGED TABLE public.live_work (
    workspace_id bigint NOT NULL,
    began_at timestamp with time zone NOT NULL,
    after_run bigint NOT NULL
);

COMMENT ON TABLE public.live_work IS 'Since when a workspace has had work without a break, and the newest run before it. The row goes with the last customer; a crash of the database may take it.';

CREATE TABLE public.membership (
    user_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    role text NOT NULL,
    manage_member text DEFAULT ''::text NOT NULL,
    disabled boolean DEFAULT false NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT membership_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'technician'::text, 'billing'::text, 'admin'::text])))
);

COMMENT ON TABLE public.membership IS 'A user in a workspace, with the role there. A workspace never loses its last admin.';

COMMENT ON COLUMN public.membership.manage_member IS 'Identifier of the Manage member that this user is, as an admin linked it.';

CREATE TABLE public.mute (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    kind text DEFAULT ''::text NOT NULL,
    customer_id bigint,
    tenant text DEFAULT ''::text NOT NULL,
    sku text DEFAULT ''::text NOT NULL,
    subscription text DEFAULT ''::text NOT NULL,
    reason text NOT NULL,
    until date NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT mute_check CHECK (((kind <> ''::text) OR (customer_id IS NOT NULL) OR (sku <> ''::text))),
    CONSTRAINT mute_check1 CHECK (((tenant = ''::text) = (sku = ''::text))),
    CONSTRAINT mute_reason_check CHECK ((reason <> ''::text))
);

COMMENT ON TABLE public.mute IS 'What of a kind, a customer or a license is not told through a day, and why. Told again after it, if it still is so.';

ALTER TABLE public.mute ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.mute_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.notification (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    key text NOT NULL,
    kind text NOT NULL,
    customer_id bigint,
    tenant text DEFAULT ''::text NOT NULL,
    sku text DEFAULT ''::text NOT NULL,
    subscription text DEFAULT ''::text NOT NULL,
    text text NOT NULL,
    action text NOT NULL,
    money jsonb DEFAULT '[]'::jsonb NOT NULL,
    last_day date,
    screen text DEFAULT ''::text NOT NULL,
    began_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT notification_key_check CHECK ((key <> ''::text)),
    CONSTRAINT notification_kind_check CHECK ((kind = ANY (ARRAY['unlinkedLicenses'::text, 'unassignedSeats'::text, 'holdsWaiting'::text, 'connectionBroken'::text, 'credentialExpires'::text, 'tenantsNotAdded'::text, 'tenantsGone'::text, 'agreementChanged'::text, 'syncFailed'::text])))
);

COMMENT ON TABLE public.notification IS 'What is or was so and is told once to each user who wants it. Of a key one row is open; what ends and begins anew is a new row.';

COMMENT ON COLUMN public.notification.last_day IS 'The last day to act without losing money, where there is one.';

ALTER TABLE public.notification ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.notification_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.notification_look (
    workspace_id bigint NOT NULL,
    due_at timestamp with time zone NOT NULL,
    tenants_due_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.notification_look IS 'When a workspace is looked at next for what is to be told, and when its partners'' lists of tenants are read next.';

CREATE TABLE public.notification_told (
    notification_id bigint NOT NULL,
    user_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    digest_id bigint NOT NULL
);

COMMENT ON TABLE public.notification_told IS 'Which digest tells a user a notification: one, so nobody is told twice.';

CREATE TABLE public.one_time_link (
    token_hash bytea NOT NULL,
    kind text NOT NULL,
    user_id bigint,
    ends_at timestamp with time zone NOT NULL,
    CONSTRAINT one_time_link_check CHECK (((kind = 'reset'::text) = (user_id IS NOT NULL))),
    CONSTRAINT one_time_link_kind_check CHECK ((kind = ANY (ARRAY['reset'::text, 'first'::text])))
);

COMMENT ON TABLE public.one_time_link IS 'SHA-256 of a link that sets a password, or makes the first admin. Using it deletes the row; a newer one takes its place.';

CREATE TABLE public.open_plan (
    workspace_id bigint NOT NULL,
    link_key text NOT NULL,
    customer_id bigint NOT NULL,
    run_id bigint NOT NULL,
    fingerprint text NOT NULL,
    hold text NOT NULL,
    holds jsonb NOT NULL,
    changes jsonb NOT NULL,
    first_seen date NOT NULL,
    last_day date,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT open_plan_hold_check CHECK ((hold <> ''::text))
);

COMMENT ON TABLE public.open_plan IS 'The one plan of a link that waits for a person; a newer one replaces it.';

COMMENT ON COLUMN public.open_plan.hold IS 'The first of its holds.';

COMMENT ON COLUMN public.open_plan.first_seen IS 'The day since which the link waits without a break.';

COMMENT ON COLUMN public.open_plan.last_day IS 'The last day to approve before money is lost, where there is one.';

CREATE TABLE public.partner_tenant (
    workspace_id bigint NOT NULL,
    connection_id bigint NOT NULL,
    tenant text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    domain text DEFAULT ''::text NOT NULL,
    ends_at timestamp with time zone,
    first_seen date NOT NULL,
    gone_on date,
    CONSTRAINT partner_tenant_tenant_check CHECK ((tenant <> ''::text))
);

COMMENT ON TABLE public.partner_tenant IS 'The tenants of a partner''s list as last read whole.';

COMMENT ON COLUMN public.partner_tenant.ends_at IS 'When the relationship ends, where it does so by itself.';

COMMENT ON COLUMN public.partner_tenant.gone_on IS 'The day of the complete list that had it no more.';

CREATE TABLE public.plan_postponed (
    workspace_id bigint NOT NULL,
    link_key text NOT NULL,
    fingerprint text NOT NULL,
    until date NOT NULL,
    reason text NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT plan_postponed_reason_check CHECK ((reason <> ''::text))
);

COMMENT ON TABLE public.plan_postponed IS 'An open plan that a person put aside through a day. It speaks of the plan as it was shown: another one is not put aside.';

CREATE TABLE public.preference (
    user_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    email text DEFAULT ''::text NOT NULL,
    choices jsonb NOT NULL,
    digest_at text NOT NULL,
    weekday smallint NOT NULL,
    zone text DEFAULT ''::text NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT preference_weekday_check CHECK (((weekday >= 0) AND (weekday <= 6)))
);

COMMENT ON TABLE public.preference IS 'What a user wants to be told in a workspace and when; no row is what is usual for the role.';

COMMENT ON COLUMN public.preference.choices IS 'How often by kind. A kind that is not named is not told.';

CREATE TABLE public.recovery_code (
    code_hash bytea NOT NULL,
    user_id bigint NOT NULL,
    used_at timestamp with time zone
);

COMMENT ON TABLE public.recovery_code IS 'SHA-256 of the codes that stand in for a lost authenticator, once each.';

CREATE TABLE public.rule (
    workspace_id bigint NOT NULL,
    license text NOT NULL,
    profile_id bigint,
    do_not_bill text DEFAULT ''::text NOT NULL,
    CONSTRAINT rule_check CHECK (((profile_id IS NULL) <> (do_not_bill = ''::text))),
    CONSTRAINT rule_license_check CHECK ((license <> ''::text))
);

COMMENT ON TABLE public.rule IS 'What a SKU is for all customers now and later: a profile, or do not bill with a reason.';

CREATE TABLE public.run (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    trigger text NOT NULL,
    status text NOT NULL,
    day date NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    error_code text DEFAULT ''::text NOT NULL,
    error_message text DEFAULT ''::text NOT NULL,
    error_action text DEFAULT ''::text NOT NULL,
    asked_by text DEFAULT ''::text NOT NULL,
    CONSTRAINT run_status_check CHECK ((status = ANY (ARRAY['running'::text, 'done'::text, 'held'::text, 'failed'::text, 'stopped'::text]))),
    CONSTRAINT run_trigger_check CHECK ((trigger = ANY (ARRAY['onDemand'::text, 'approval'::text, 'callback'::text, 'nightly'::text])))
);

COMMENT ON TABLE public.run IS 'One sync of one customer. One that was cut is stopped when the next one begins.';

COMMENT ON COLUMN public.run.asked_by IS 'The person who asked for it, as named then.';

CREATE TABLE public.run_change (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    run_id bigint NOT NULL,
    decision_id bigint,
    group_name text NOT NULL,
    link_key text NOT NULL,
    license text NOT NULL,
    agreement_id integer NOT NULL,
    agreement_name text NOT NULL,
    action text NOT NULL,
    state text NOT NULL,
    hold text DEFAULT ''::text NOT NULL,
    reason jsonb NOT NULL,
    before jsonb,
    after jsonb,
    addition_id integer,
    seats_seen integer NOT NULL,
    seats_billed integer NOT NULL,
    currency text NOT NULL,
    monthly numeric NOT NULL,
    next_invoice numeric NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT run_change_action_check CHECK ((action = ANY (ARRAY['keep'::text, 'create'::text, 'update'::text, 'cancel'::text, 'none'::text]))),
    CONSTRAINT run_change_state_check CHECK ((state = ANY (ARRAY['planned'::text, 'written'::text, 'held'::text, 'failed'::text])))
);

COMMENT ON TABLE public.run_change IS 'The journal: a change is planned here before any effect in Manage, and its outcome closes it.';

ALTER TABLE public.run_change ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.run_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.run ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.sign_in_delay (
    subject bytea NOT NULL,
    attempts integer NOT NULL,
    last_at timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.sign_in_delay IS 'How often an account or an address failed to sign in, and until when it must wait. Shared by all processes.';

COMMENT ON COLUMN public.sign_in_delay.subject IS 'SHA-256 of the address that was typed or of the network address, so that typing errors are not kept as text.';

CREATE TABLE public.sign_in_flow (
    state_hash bytea NOT NULL,
    browser_hash bytea NOT NULL,
    provider_id bigint NOT NULL,
    return_to text DEFAULT ''::text NOT NULL,
    ends_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.sign_in_flow IS 'A sign-in that was sent to a provider and is not back yet: taken once, by the browser that began it.';

CREATE TABLE public.sign_in_policy (
    workspace_id bigint NOT NULL,
    mfa_required boolean NOT NULL,
    session_hours integer NOT NULL,
    allowed_networks text[] NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT sign_in_policy_session_hours_check CHECK (((session_hours >= 1) AND (session_hours <= 720)))
);

COMMENT ON TABLE public.sign_in_policy IS 'How people sign in to a workspace; no row is the default.';

CREATE TABLE public.sign_in_provider (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    name text NOT NULL,
    issuer text NOT NULL,
    client_id text NOT NULL,
    client_secret bytea,
    domains text[] NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT sign_in_provider_name_check CHECK ((name <> ''::text))
);

COMMENT ON TABLE public.sign_in_provider IS 'The OpenID provider of a workspace. What it says of a person counts in this workspace only.';

COMMENT ON COLUMN public.sign_in_provider.client_secret IS 'Sealed, with table, row and column as additional data.';

COMMENT ON COLUMN public.sign_in_provider.domains IS 'Of which e-mail addresses the provider speaks, lower case.';

ALTER TABLE public.sign_in_provider ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.sign_in_provider_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.sku_name (
    sku text NOT NULL,
    part_number text NOT NULL,
    name text NOT NULL,
    refreshed_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.sku_name IS 'Microsoft''s public names of SKUs as refreshed; newer than the built-in table. The same for all workspaces.';

CREATE TABLE public.sync_state (
    workspace_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    due_at timestamp with time zone,
    due_reason text DEFAULT ''::text NOT NULL,
    priority smallint DEFAULT 3 NOT NULL,
    requested_seq bigint DEFAULT 0 NOT NULL,
    claimed_seq bigint DEFAULT 0 NOT NULL,
    done_seq bigint DEFAULT 0 NOT NULL,
    lease_owner text,
    lease_until timestamp with time zone,
    attempt bigint DEFAULT 0 NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    last_error text DEFAULT ''::text NOT NULL,
    asked_by text DEFAULT ''::text NOT NULL,
    claimed_by text DEFAULT ''::text NOT NULL,
    halted bigint DEFAULT 0 NOT NULL,
    CONSTRAINT sync_state_check CHECK (((lease_owner IS NULL) = (lease_until IS NULL))),
    CONSTRAINT sync_state_check1 CHECK (((done_seq <= claimed_seq) AND (claimed_seq <= requested_seq))),
    CONSTRAINT sync_state_check2 CHECK (((due_at IS NOT NULL) OR ((lease_owner IS NULL) AND (requested_seq = done_seq)))),
    CONSTRAINT sync_state_due_reason_check CHECK ((due_reason = ANY (ARRAY[''::text, 'onDemand'::text, 'approval'::text, 'callback'::text, 'nightly'::text]))),
    CONSTRAINT sync_state_priority_check CHECK (((priority >= 0) AND (priority <= 3)))
)
WITH (fillfactor='70');

COMMENT ON TABLE public.sync_state IS 'The work: one row a customer. Due rows are claimed with a lease; a request during a run makes the row due again.';

COMMENT ON COLUMN public.sync_state.due_at IS 'When it may be claimed; null when nothing was requested since it was last done.';

COMMENT ON COLUMN public.sync_state.priority IS '0 on demand, 1 approval, 2 callback, 3 nightly: the reason''s place in the claim order.';

COMMENT ON COLUMN public.sync_state.claimed_seq IS 'The last request that the newest claim saw.';

COMMENT ON COLUMN public.sync_state.attempt IS 'Goes up with every claim and never down: together with the owner it fences what a run may still write.';

COMMENT ON COLUMN public.sync_state.failures IS 'Failed runs in a row, for the backoff.';

COMMENT ON COLUMN public.sync_state.asked_by IS 'The person who asked for the next run; empty when nobody did.';

COMMENT ON COLUMN public.sync_state.claimed_by IS 'The person who asked for the run of the newest claim.';

COMMENT ON COLUMN public.sync_state.halted IS 'The attempt that a person wants to end: it stops between two groups of writes.';

CREATE TABLE public.tenant_consent (
    workspace_id bigint NOT NULL,
    connection_id bigint NOT NULL,
    tenant text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    code text DEFAULT ''::text NOT NULL,
    text text DEFAULT ''::text NOT NULL,
    action text DEFAULT ''::text NOT NULL,
    at timestamp with time zone,
    lease_until timestamp with time zone,
    CONSTRAINT tenant_consent_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'done'::text, 'failed'::text]))),
    CONSTRAINT tenant_consent_tenant_check CHECK ((tenant <> ''::text))
);

COMMENT ON TABLE public.tenant_consent IS 'How the consent of a partner''s tenant stands: one at a time is running, and one whose lease ended is taken again.';

CREATE TABLE public.tenant_state (
    workspace_id bigint NOT NULL,
    tenant text NOT NULL,
    evidence_id bigint NOT NULL,
    read_at timestamp with time zone NOT NULL,
    hash bytea NOT NULL,
    holders_hash bytea NOT NULL
);

COMMENT ON TABLE public.tenant_state IS 'The last content of a tenant that was taken apart into license and holding rows: the same content again writes nothing.';

COMMENT ON COLUMN public.tenant_state.read_at IS 'The read that brought it, not the last one: an unchanged read is a row of evidence_read alone.';

COMMENT ON COLUMN public.tenant_state.hash IS 'That of the evidence.';

CREATE TABLE public.user_account (
    id bigint NOT NULL,
    email text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    password_hash text DEFAULT ''::text NOT NULL,
    must_change_password boolean DEFAULT false NOT NULL,
    totp_secret bytea,
    totp_pending bytea,
    totp_step bigint DEFAULT 0 NOT NULL,
    last_workspace_id bigint,
    seen_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT user_account_email_check CHECK (((email <> ''::text) AND (email = lower(email))))
);

COMMENT ON TABLE public.user_account IS 'A person, who may belong to several workspaces. Never deleted: history and audit name them.';

COMMENT ON COLUMN public.user_account.password_hash IS 'argon2id with its parameters; empty for a person who only signs in with a provider.';

COMMENT ON COLUMN public.user_account.totp_secret IS 'Sealed, with table, row and column as additional data.';

COMMENT ON COLUMN public.user_account.totp_pending IS 'A new secret, sealed likewise, until a code of it confirms that the person has it.';

COMMENT ON COLUMN public.user_account.totp_step IS 'The time step of the last code that was taken: an older or equal one is refused, so a code counts once.';

ALTER TABLE public.user_account ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.user_account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.user_identity (
    issuer text NOT NULL,
    subject text NOT NULL,
    provider_id bigint NOT NULL,
    user_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.user_identity IS 'Whom a provider means: bound at the first sign-in, so that an address given to somebody else later opens nothing.';

CREATE TABLE public.user_session (
    id bigint NOT NULL,
    token_hash text NOT NULL,
    user_id bigint NOT NULL,
    workspace_id bigint,
    provider_id bigint,
    awaits_second_factor boolean NOT NULL,
    address text NOT NULL,
    device text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.user_session IS 'A browser that somebody signed in with. Its token is kept as a hash; signing out deletes the row.';

COMMENT ON COLUMN public.user_session.ends_at IS 'At the latest; without use it ends earlier.';

ALTER TABLE public.user_session ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.user_session_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.worker (
    owner text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.worker IS 'The heartbeats of the processes that claim work; the live ones share the Manage budget in equal parts.';

CREATE TABLE public.workspace (
    id bigint NOT NULL,
    name text NOT NULL,
    zone text NOT NULL,
    currency text DEFAULT ''::text NOT NULL,
    observe boolean DEFAULT true NOT NULL,
    nightly_at text DEFAULT ''::text NOT NULL,
    link_defaults jsonb NOT NULL,
    unknown_member text DEFAULT 'viewer'::text NOT NULL,
    embed_fallback boolean DEFAULT true NOT NULL,
    approve_seats integer,
    approve_percent integer,
    approve_amount numeric,
    freeze_days integer DEFAULT 0 NOT NULL,
    history_days integer,
    nightly_on date,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    setup_skipped text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT workspace_freeze_days_check CHECK ((freeze_days >= 0)),
    CONSTRAINT workspace_history_days_check CHECK ((history_days > 0)),
    CONSTRAINT workspace_name_check CHECK ((name <> ''::text)),
    CONSTRAINT workspace_unknown_member_check CHECK ((unknown_member = ANY (ARRAY['viewer'::text, 'none'::text])))
);

COMMENT ON TABLE public.workspace IS 'One MSP with one Manage: its settings. Every other row belongs to one.';

COMMENT ON COLUMN public.workspace.history_days IS 'Finished runs older than this many days are deleted; null keeps them for good.';

COMMENT ON COLUMN public.workspace.nightly_on IS 'The business day whose nightly batch was marked due; one day is marked once.';

COMMENT ON COLUMN public.workspace.version IS 'Goes up with every change of settings, types, profiles and rules, so that what was read of them can be kept.';

COMMENT ON COLUMN public.workspace.setup_skipped IS 'Steps of setting up that a person left out.';

ALTER TABLE public.workspace ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.workspace_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.agreement_type
    ADD CONSTRAINT agreement_type_pkey PRIMARY KEY (type_id, workspace_id);

ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_name_workspace_id_key UNIQUE (name, workspace_id);

ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_pkey PRIMARY KEY (id, workspace_id);

ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.audit_entry
    ADD CONSTRAINT audit_entry_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.billing_profile
    ADD CONSTRAINT billing_profile_name_workspace_id_key UNIQUE (name, workspace_id);

ALTER TABLE ONLY public.billing_profile
    ADD CONSTRAINT billing_profile_pkey PRIMARY KEY (id, workspace_id);

ALTER TABLE ONLY public.billing_profile_type
    ADD CONSTRAINT billing_profile_type_pkey PRIMARY KEY (profile_id, type_id, workspace_id);

ALTER TABLE ONLY public.callback
    ADD CONSTRAINT callback_message_id_workspace_id_key UNIQUE (message_id, workspace_id);

ALTER TABLE ONLY public.callback
    ADD CONSTRAINT callback_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.connection
    ADD CONSTRAINT connection_name_workspace_id_key UNIQUE (name, workspace_id);

ALTER TABLE ONLY public.connection
    ADD CONSTRAINT connection_pkey PRIMARY KEY (id, workspace_id);

ALTER TABLE ONLY public.consent_flow
    ADD CONSTRAINT consent_flow_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.consent_flow
    ADD CONSTRAINT consent_flow_state_hash_key UNIQUE (state_hash);

ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_company_id_workspace_id_key UNIQUE (company_id, workspace_id);

ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (id, workspace_id);

ALTER TABLE ONLY public.customer_tenant
    ADD CONSTRAINT customer_tenant_pkey PRIMARY KEY (tenant, workspace_id);

ALTER TABLE ONLY public.customer_trend
    ADD CONSTRAINT customer_trend_pkey PRIMARY KEY (customer_id, currency, day, workspace_id);

ALTER TABLE ONLY public.cutover_change
    ADD CONSTRAINT cutover_change_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.decision
    ADD CONSTRAINT decision_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.digest
    ADD CONSTRAINT digest_pkey PRIMARY KEY (id, workspace_id);

ALTER TABLE ONLY public.embed_code
    ADD CONSTRAINT embed_code_pkey PRIMARY KEY (code_hash);

ALTER TABLE ONLY public.embed_nonce
    ADD CONSTRAINT embed_nonce_pkey PRIMARY KEY (nonce_hash);

ALTER TABLE ONLY public.embed_session
    ADD CONSTRAINT embed_session_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.embed_session
    ADD CONSTRAINT embed_session_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.evidence
    ADD CONSTRAINT evidence_pkey PRIMARY KEY (id, workspace_id);

ALTER TABLE ONLY public.evidence_read
    ADD CONSTRAINT evidence_read_pkey PRIMARY KEY (run_id, tenant, workspace_id);

ALTER TABLE ONLY public.evidence
    ADD CONSTRAINT evidence_tenant_hash_workspace_id_key UNIQUE (tenant, hash, workspace_id);

ALTER TABLE ONLY public.holder
    ADD CONSTRAINT holder_pkey PRIMARY KEY (tenant, user_id, workspace_id);

ALTER TABLE ONLY public.holding
    ADD CONSTRAINT holding_pkey PRIMARY KEY (tenant, sku, user_id, from_day, workspace_id);

ALTER TABLE ONLY public.installation
    ADD CONSTRAINT installation_embed_key_key UNIQUE (embed_key);

ALTER TABLE ONLY public.installation_part
    ADD CONSTRAINT installation_part_pkey PRIMARY KEY (name, kind, workspace_id);

ALTER TABLE ONLY public.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.installation
    ADD CONSTRAINT installation_workspace_id_key UNIQUE (workspace_id);

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT invitation_email_workspace_id_key UNIQUE (email, workspace_id);

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT invitation_pkey PRIMARY KEY (id, workspace_id);

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT invitation_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (link_key, "position", workspace_id);

ALTER TABLE ONLY public.license
    ADD CONSTRAINT license_pkey PRIMARY KEY (tenant, sku, subscription, workspace_id);

ALTER TABLE ONLY public.link
    ADD CONSTRAINT link_customer_id_tenant_sku_subscription_workspace_id_key UNIQUE (customer_id, tenant, sku, subscription, workspace_id);

ALTER TABLE ONLY public.link
    ADD CONSTRAINT link_pkey PRIMARY KEY (key, workspace_id);

ALTER TABLE ONLY public.live_step
    ADD CONSTRAINT live_step_pkey PRIMARY KEY (customer_id, workspace_id);

ALTER TABLE ONLY public.live_work
    ADD CONSTRAINT live_work_pkey PRIMARY KEY (workspace_id);

ALTER TABLE ONLY public.membership
    ADD CONSTRAINT membership_pkey PRIMARY KEY (user_id, workspace_id);

ALTER TABLE ONLY public.mute
    ADD CONSTRAINT mute_pkey PRIMARY KEY (id, workspace_id);

ALTER TABLE ONLY public.notification_look
    ADD CONSTRAINT notification_look_pkey PRIMARY KEY (workspace_id);

ALTER TABLE ONLY public.notification
    ADD CONSTRAINT notification_pkey PRIMARY KEY (id, workspace_id);

ALTER TABLE ONLY public.notification_told
    ADD CONSTRAINT notification_told_pkey PRIMARY KEY (notification_id, user_id, workspace_id);

ALTER TABLE ONLY public.one_time_link
    ADD CONSTRAINT one_time_link_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.open_plan
    ADD CONSTRAINT open_plan_pkey PRIMARY KEY (link_key, workspace_id);

ALTER TABLE ONLY public.partner_tenant
    ADD CONSTRAINT partner_tenant_pkey PRIMARY KEY (tenant, connection_id, workspace_id);

ALTER TABLE ONLY public.plan_postponed
    ADD CONSTRAINT plan_postponed_pkey PRIMARY KEY (link_key, workspace_id);

ALTER TABLE ONLY public.preference
    ADD CONSTRAINT preference_pkey PRIMARY KEY (user_id, workspace_id);

ALTER TABLE ONLY public.recovery_code
    ADD CONSTRAINT recovery_code_pkey PRIMARY KEY (user_id, code_hash);

ALTER TABLE ONLY public.rule
    ADD CONSTRAINT rule_pkey PRIMARY KEY (license, workspace_id);

ALTER TABLE ONLY public.run_change
    ADD CONSTRAINT run_change_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (id, workspace_id);

ALTER TABLE ONLY public.sign_in_delay
    ADD CONSTRAINT sign_in_delay_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY public.sign_in_flow
    ADD CONSTRAINT sign_in_flow_pkey PRIMARY KEY (state_hash);

ALTER TABLE ONLY public.sign_in_policy
    ADD CONSTRAINT sign_in_policy_pkey PRIMARY KEY (workspace_id);

ALTER TABLE ONLY public.sign_in_provider
    ADD CONSTRAINT sign_in_provider_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sign_in_provider
    ADD CONSTRAINT sign_in_provider_workspace_id_key UNIQUE (workspace_id);

ALTER TABLE ONLY public.sku_name
    ADD CONSTRAINT sku_name_pkey PRIMARY KEY (sku);

ALTER TABLE ONLY public.sync_state
    ADD CONSTRAINT sync_state_pkey PRIMARY KEY (customer_id, workspace_id);

ALTER TABLE ONLY public.tenant_consent
    ADD CONSTRAINT tenant_consent_pkey PRIMARY KEY (tenant, connection_id, workspace_id);

ALTER TABLE ONLY public.tenant_state
    ADD CONSTRAINT tenant_state_pkey PRIMARY KEY (tenant, workspace_id);

ALTER TABLE ONLY public.user_account
    ADD CONSTRAINT user_account_email_key UNIQUE (email);

ALTER TABLE ONLY public.user_account
    ADD CONSTRAINT user_account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.user_identity
    ADD CONSTRAINT user_identity_pkey PRIMARY KEY (subject, issuer, provider_id);

ALTER TABLE ONLY public.user_identity
    ADD CONSTRAINT user_identity_user_id_issuer_provider_id_key UNIQUE (user_id, issuer, provider_id);

ALTER TABLE ONLY public.user_session
    ADD CONSTRAINT user_session_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.user_session
    ADD CONSTRAINT user_session_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.worker
    ADD CONSTRAINT worker_pkey PRIMARY KEY (owner);

ALTER TABLE ONLY public.workspace
    ADD CONSTRAINT workspace_name_key UNIQUE (name);

ALTER TABLE ONLY public.workspace
    ADD CONSTRAINT workspace_pkey PRIMARY KEY (id);

CREATE INDEX audit_entry_of_customer ON public.audit_entry USING btree (customer_id, id DESC) WHERE (customer_id IS NOT NULL);

CREATE INDEX audit_entry_of_workspace ON public.audit_entry USING btree (workspace_id, id DESC);

CREATE INDEX callback_of_workspace ON public.callback USING btree (workspace_id, received_at);

CREATE INDEX callback_waiting ON public.callback USING btree (workspace_id, kind, record_id, received_at, not_before) WHERE (state = 'waiting'::text);

CREATE UNIQUE INDEX connection_one_manage ON public.connection USING btree (workspace_id) WHERE (kind = 'manage'::text);

CREATE INDEX consent_flow_ends ON public.consent_flow USING btree (ends_at);

CREATE INDEX consent_flow_of_connection ON public.consent_flow USING btree (connection_id);

CREATE INDEX customer_tenant_of_connection ON public.customer_tenant USING btree (connection_id);

CREATE INDEX customer_tenant_of_customer ON public.customer_tenant USING btree (customer_id);

CREATE INDEX customer_trend_of_workspace ON public.customer_trend USING btree (workspace_id, day);

CREATE INDEX cutover_change_of_workspace ON public.cutover_change USING btree (workspace_id, id);

CREATE INDEX decision_of_run ON public.decision USING btree (run_id);

CREATE UNIQUE INDEX decision_open ON public.decision USING btree (link_key, workspace_id) WHERE open;

CREATE INDEX decision_superseded ON public.decision USING btree (superseded_by) WHERE (superseded_by IS NOT NULL);

CREATE INDEX digest_due ON public.digest USING btree (due_at) WHERE (closed_at IS NULL);

CREATE UNIQUE INDEX digest_of_day ON public.digest USING btree (user_id, workspace_id, day) WHERE (NOT at_once);

CREATE INDEX digest_of_user ON public.digest USING btree (user_id, workspace_id, id DESC);

CREATE UNIQUE INDEX digest_open ON public.digest USING btree (user_id, workspace_id, at_once) WHERE (closed_at IS NULL);

CREATE INDEX embed_code_ends ON public.embed_code USING btree (ends_at);

CREATE INDEX embed_code_of_user ON public.embed_code USING btree (user_id);

CREATE INDEX embed_code_of_workspace ON public.embed_code USING btree (workspace_id);

CREATE INDEX embed_nonce_ends ON public.embed_nonce USING btree (ends_at);

CREATE INDEX embed_nonce_of_workspace ON public.embed_nonce USING btree (workspace_id);

CREATE INDEX embed_session_ends ON public.embed_session USING btree (ends_at);

CREATE INDEX embed_session_of_user ON public.embed_session USING btree (user_id) WHERE (user_id IS NOT NULL);

CREATE INDEX embed_session_of_workspace ON public.embed_session USING btree (workspace_id);

CREATE INDEX evidence_read_of_evidence ON public.evidence_read USING btree (evidence_id);

CREATE UNIQUE INDEX holding_open ON public.holding USING btree (tenant, sku, user_id, workspace_id) WHERE (to_day IS NULL);

CREATE INDEX installation_check_due ON public.installation USING btree (check_due_at);

CREATE INDEX installation_part_of_workspace ON public.installation_part USING btree (workspace_id);

CREATE INDEX ledger_of_agreement ON public.ledger USING btree (agreement_id);

CREATE INDEX link_of_agreement ON public.link USING btree (agreement_id);

CREATE INDEX link_of_profile ON public.link USING btree (profile_id);

CREATE UNIQUE INDEX membership_member ON public.membership USING btree (workspace_id, lower(manage_member)) WHERE (manage_member <> ''::text);

CREATE INDEX membership_of_workspace ON public.membership USING btree (workspace_id);

CREATE INDEX mute_of_workspace ON public.mute USING btree (workspace_id, id);

CREATE INDEX notification_look_due ON public.notification_look USING btree (due_at);

CREATE INDEX notification_look_tenants_due ON public.notification_look USING btree (tenants_due_at);

CREATE INDEX notification_of_customer ON public.notification USING btree (customer_id, id DESC) WHERE (customer_id IS NOT NULL);

CREATE INDEX notification_of_workspace ON public.notification USING btree (workspace_id, id DESC);

CREATE UNIQUE INDEX notification_open ON public.notification USING btree (workspace_id, key) WHERE (ended_at IS NULL);

CREATE INDEX notification_told_in_digest ON public.notification_told USING btree (digest_id);

CREATE UNIQUE INDEX one_time_link_first ON public.one_time_link USING btree (kind) WHERE (kind = 'first'::text);

CREATE UNIQUE INDEX one_time_link_of_user ON public.one_time_link USING btree (user_id) WHERE (kind = 'reset'::text);

CREATE INDEX open_plan_of_customer ON public.open_plan USING btree (customer_id);

CREATE INDEX open_plan_of_run ON public.open_plan USING btree (run_id);

CREATE INDEX partner_tenant_of_connection ON public.partner_tenant USING btree (connection_id);

CREATE INDEX run_change_of_agreement ON public.run_change USING btree (agreement_id, run_id);

CREATE INDEX run_change_of_decision ON public.run_change USING btree (decision_id);

CREATE INDEX run_change_of_link ON public.run_change USING btree (link_key, run_id);

CREATE INDEX run_change_of_run ON public.run_change USING btree (run_id, id);

CREATE INDEX run_change_written ON public.run_change USING btree (workspace_id, closed_at) WHERE (state = 'written'::text);

CREATE INDEX run_of_customer ON public.run USING btree (customer_id, id);

CREATE INDEX run_running ON public.run USING btree (customer_id) WHERE (status = 'running'::text);

CREATE INDEX sign_in_delay_last ON public.sign_in_delay USING btree (last_at);

CREATE INDEX sign_in_flow_ends ON public.sign_in_flow USING btree (ends_at);

CREATE INDEX sign_in_provider_domains ON public.sign_in_provider USING gin (domains);

CREATE INDEX sync_state_due ON public.sync_state USING btree (priority, due_at, customer_id) WHERE (due_at IS NOT NULL);

CREATE INDEX tenant_consent_of_connection ON public.tenant_consent USING btree (connection_id);

CREATE INDEX user_session_ends ON public.user_session USING btree (ends_at);

CREATE INDEX user_session_of_user ON public.user_session USING btree (user_id);

CREATE TRIGGER audit_entry_stays BEFORE DELETE OR UPDATE ON public.audit_entry FOR EACH ROW EXECUTE FUNCTION public.audit_entry_stays();

CREATE TRIGGER audit_entry_stays_whole BEFORE TRUNCATE ON public.audit_entry FOR EACH STATEMENT EXECUTE FUNCTION public.audit_entry_stays();

ALTER TABLE ONLY public.agreement_type
    ADD CONSTRAINT agreement_type_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_user_id_workspace_id_fkey FOREIGN KEY (user_id, workspace_id) REFERENCES public.membership(user_id, workspace_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.billing_profile_type
    ADD CONSTRAINT billing_profile_type_workspace_id_profile_id_fkey FOREIGN KEY (workspace_id, profile_id) REFERENCES public.billing_profile(workspace_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.billing_profile
    ADD CONSTRAINT billing_profile_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.callback
    ADD CONSTRAINT callback_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.connection
    ADD CONSTRAINT connection_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.consent_flow
    ADD CONSTRAINT consent_flow_workspace_id_connection_id_fkey FOREIGN KEY (workspace_id, connection_id) REFERENCES public.connection(workspace_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.consent_flow
    ADD CONSTRAINT consent_flow_workspace_id_customer_id_fkey FOREIGN KEY (workspace_id, customer_id) REFERENCES public.customer(workspace_id, id);

ALTER TABLE ONLY public.customer_tenant
    ADD CONSTRAINT customer_tenant_workspace_id_connection_id_fkey FOREIGN KEY (workspace_id, connection_id) REFERENCES public.connection(workspace_id, id);

ALTER TABLE ONLY public.customer_tenant
    ADD CONSTRAINT customer_tenant_workspace_id_customer_id_fkey FOREIGN KEY (workspace_id, customer_id) REFERENCES public.customer(workspace_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.customer_trend
    ADD CONSTRAINT customer_trend_workspace_id_customer_id_fkey FOREIGN KEY (workspace_id, customer_id) REFERENCES public.customer(workspace_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.cutover_change
    ADD CONSTRAINT cutover_change_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.decision
    ADD CONSTRAINT decision_superseded_by_fkey FOREIGN KEY (superseded_by) REFERENCES public.decision(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.decision
    ADD CONSTRAINT decision_workspace_id_link_key_fkey FOREIGN KEY (workspace_id, link_key) REFERENCES public.link(workspace_id, key);

ALTER TABLE ONLY public.decision
    ADD CONSTRAINT decision_workspace_id_run_id_fkey FOREIGN KEY (workspace_id, run_id) REFERENCES public.run(workspace_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.digest
    ADD CONSTRAINT digest_user_id_workspace_id_fkey FOREIGN KEY (user_id, workspace_id) REFERENCES public.membership(user_id, workspace_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.embed_code
    ADD CONSTRAINT embed_code_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.user_account(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.embed_code
    ADD CONSTRAINT embed_code_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.embed_nonce
    ADD CONSTRAINT embed_nonce_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.embed_session
    ADD CONSTRAINT embed_session_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.user_account(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.embed_session
    ADD CONSTRAINT embed_session_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.evidence_read
    ADD CONSTRAINT evidence_read_workspace_id_evidence_id_fkey FOREIGN KEY (workspace_id, evidence_id) REFERENCES public.evidence(workspace_id, id);

ALTER TABLE ONLY public.evidence_read
    ADD CONSTRAINT evidence_read_workspace_id_run_id_fkey FOREIGN KEY (workspace_id, run_id) REFERENCES public.run(workspace_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.evidence
    ADD CONSTRAINT evidence_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.holder
    ADD CONSTRAINT holder_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.holding
    ADD CONSTRAINT holding_workspace_id_tenant_user_id_fkey FOREIGN KEY (workspace_id, tenant, user_id) REFERENCES public.holder(workspace_id, tenant, user_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.installation_part
    ADD CONSTRAINT installation_part_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.installation(workspace_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.installation
    ADD CONSTRAINT installation_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT invitation_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT ledger_workspace_id_link_key_fkey FOREIGN KEY (workspace_id, link_key) REFERENCES public.link(workspace_id, key);

ALTER TABLE ONLY public.license
    ADD CONSTRAINT license_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.link
    ADD CONSTRAINT link_workspace_id_customer_id_fkey FOREIGN KEY (workspace_id, customer_id) REFERENCES public.customer(workspace_id, id);

ALTER TABLE ONLY public.link
    ADD CONSTRAINT link_workspace_id_profile_id_fkey FOREIGN KEY (workspace_id, profile_id) REFERENCES public.billing_profile(workspace_id, id);

ALTER TABLE ONLY public.membership
    ADD CONSTRAINT membership_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.user_account(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.membership
    ADD CONSTRAINT membership_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.mute
    ADD CONSTRAINT mute_workspace_id_customer_id_fkey FOREIGN KEY (workspace_id, customer_id) REFERENCES public.customer(workspace_id, id);

ALTER TABLE ONLY public.mute
    ADD CONSTRAINT mute_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notification_look
    ADD CONSTRAINT notification_look_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notification_told
    ADD CONSTRAINT notification_told_workspace_id_digest_id_fkey FOREIGN KEY (workspace_id, digest_id) REFERENCES public.digest(workspace_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notification_told
    ADD CONSTRAINT notification_told_workspace_id_notification_id_fkey FOREIGN KEY (workspace_id, notification_id) REFERENCES public.notification(workspace_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notification
    ADD CONSTRAINT notification_workspace_id_customer_id_fkey FOREIGN KEY (workspace_id, customer_id) REFERENCES public.customer(workspace_id, id);

ALTER TABLE ONLY public.notification
    ADD CONSTRAINT notification_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.one_time_link
    ADD CONSTRAINT one_time_link_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.user_account(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.open_plan
    ADD CONSTRAINT open_plan_workspace_id_customer_id_fkey FOREIGN KEY (workspace_id, customer_id) REFERENCES public.customer(workspace_id, id);

ALTER TABLE ONLY public.open_plan
    ADD CONSTRAINT open_plan_workspace_id_link_key_fkey FOREIGN KEY (workspace_id, link_key) REFERENCES public.link(workspace_id, key);

ALTER TABLE ONLY public.open_plan
    ADD CONSTRAINT open_plan_workspace_id_run_id_fkey FOREIGN KEY (workspace_id, run_id) REFERENCES public.run(workspace_id, id);

ALTER TABLE ONLY public.partner_tenant
    ADD CONSTRAINT partner_tenant_workspace_id_connection_id_fkey FOREIGN KEY (workspace_id, connection_id) REFERENCES public.connection(workspace_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.plan_postponed
    ADD CONSTRAINT plan_postponed_workspace_id_link_key_fkey FOREIGN KEY (workspace_id, link_key) REFERENCES public.link(workspace_id, key);

ALTER TABLE ONLY public.preference
    ADD CONSTRAINT preference_user_id_workspace_id_fkey FOREIGN KEY (user_id, workspace_id) REFERENCES public.membership(user_id, workspace_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.recovery_code
    ADD CONSTRAINT recovery_code_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.user_account(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.rule
    ADD CONSTRAINT rule_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.rule
    ADD CONSTRAINT rule_workspace_id_profile_id_fkey FOREIGN KEY (workspace_id, profile_id) REFERENCES public.billing_profile(workspace_id, id);

ALTER TABLE ONLY public.run_change
    ADD CONSTRAINT run_change_decision_id_fkey FOREIGN KEY (decision_id) REFERENCES public.decision(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.run_change
    ADD CONSTRAINT run_change_workspace_id_run_id_fkey FOREIGN KEY (workspace_id, run_id) REFERENCES public.run(workspace_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.run
    ADD CONSTRAINT run_workspace_id_customer_id_fkey FOREIGN KEY (workspace_id, customer_id) REFERENCES public.customer(workspace_id, id);

ALTER TABLE ONLY public.sign_in_flow
    ADD CONSTRAINT sign_in_flow_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.sign_in_provider(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sign_in_policy
    ADD CONSTRAINT sign_in_policy_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sign_in_provider
    ADD CONSTRAINT sign_in_provider_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sync_state
    ADD CONSTRAINT sync_state_workspace_id_customer_id_fkey FOREIGN KEY (workspace_id, customer_id) REFERENCES public.customer(workspace_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tenant_consent
    ADD CONSTRAINT tenant_consent_workspace_id_connection_id_fkey FOREIGN KEY (workspace_id, connection_id) REFERENCES public.connection(workspace_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tenant_state
    ADD CONSTRAINT tenant_state_workspace_id_evidence_id_fkey FOREIGN KEY (workspace_id, evidence_id) REFERENCES public.evidence(workspace_id, id);

ALTER TABLE ONLY public.tenant_state
    ADD CONSTRAINT tenant_state_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_account
    ADD CONSTRAINT user_account_last_workspace_id_fkey FOREIGN KEY (last_workspace_id) REFERENCES public.workspace(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.user_identity
    ADD CONSTRAINT user_identity_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.sign_in_provider(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_identity
    ADD CONSTRAINT user_identity_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.user_account(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_session
    ADD CONSTRAINT user_session_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.sign_in_provider(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_session
    ADD CONSTRAINT user_session_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.user_account(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_session
    ADD CONSTRAINT user_session_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id) ON DELETE CASCADE;
