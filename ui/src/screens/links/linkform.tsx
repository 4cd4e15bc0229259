import { Button, Checkbox, NumberInput, Radio, Select, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { settingsQuery, useMe } from '../../api/session';
import { day, money, quantity } from '../../format';
import { FaultNote } from '../../parts/fault';
import { Text } from '../../parts/show';
import { agreementsQuery, fitting, type License, type LinkInput, profilesQuery } from './data';
import { Preview } from './preview';

type Options = Schemas['LinkOptionsInput'];
type Answer = Schemas['LinkAnswerInput'];

/** What a license's link starts from in the form. */
export function begins(l: License, defaults?: Schemas['LinkDefaults']) {
  const options: Options = { ...defaults, ...l.link?.options };
  return {
    bill: l.link?.doNotBill ? 'not' : 'as',
    reason: l.link?.doNotBill ?? '',
    profile: l.link?.profile?.id,
    agreement: l.link?.agreement?.id,
    options,
    answer: l.link?.answer as Answer | undefined,
  };
}
type Values = ReturnType<typeof begins>;

/** What the form says, as it is sent; undefined while something is missing. */
export function input(v: Values): LinkInput | undefined {
  if (v.bill === 'not') return v.reason.trim() ? { doNotBill: v.reason.trim() } : undefined;
  if (!v.profile || !v.agreement) return undefined;
  return { profile: v.profile, agreement: v.agreement, options: v.options, answer: v.answer };
}

/** Links a license, or says that it is not billed, with the exact additions and money beside it. */
export function LinkForm({ license, onSaved }: { license: License; onSaved: () => void }) {
  const { may } = useMe();
  const queries = useQueryClient();
  const settings = useQuery(settingsQuery);
  const [changed, setChanged] = useState<Partial<Values>>({});
  const begun = useMemo(() => begins(license, settings.data?.settings.linkDefaults), [license, settings.data]);
  const v: Values = { ...begun, ...changed };
  const set = (change: Partial<Values>) => setChanged((before) => ({ ...before, ...change }));
  const editable = may('technician') && license.state !== 'gone';

  const link = input(v);
  const [asked] = useDebouncedValue(link, 350);
  const path = { license: license.id };
  const preview = useQuery({
    queryKey: ['preview', license.id, asked],
    queryFn: ({ signal }) => got(api.POST('/licenses/{license}/link/preview', { params: { path }, body: asked ?? {}, signal })),
    enabled: editable && Boolean(asked),
    placeholderData: keepPreviousData,
    retry: false,
    gcTime: 0,
  });
  const current = JSON.stringify(asked) === JSON.stringify(link) && !preview.isFetching ? preview.data : undefined;

  const after = async () => {
    await Promise.all(['licenses', 'license', 'overview', 'approvals'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
    onSaved();
  };
  const save = useMutation({
    mutationFn: (approve?: string) => got(api.PUT('/licenses/{license}/link', { params: { path }, body: { ...link, approve } })),
    onSuccess: after,
  });
  const remove = useMutation({ mutationFn: () => got(api.DELETE('/licenses/{license}/link', { params: { path } })), onSuccess: after });
  const approves = Boolean(current?.needsApproval && current.mayApprove);
  const unanswered = Boolean(v.bill === 'as' && current && current.foreign.length > 0 && !v.answer);

  if (!editable) {
    return (
      <div className="stack">
        <Stands license={license} />
        {license.plan && <Preview license={license} plan={license.plan} />}
        <p className="quiet">{license.state === 'gone' ? 'Microsoft lists this license no more.' : 'You can look but not change links.'}</p>
      </div>
    );
  }
  return (
    <form
      className="stack loose"
      onSubmit={(e) => {
        e.preventDefault();
        if (link && !unanswered) save.mutate(approves ? current?.fingerprint : undefined);
      }}
    >
      {!license.link && <Suggestions license={license} onTake={set} />}
      <Radio.Group aria-label="Billing" value={v.bill} onChange={(bill) => set({ bill })}>
        <div className="row" style={{ gap: 20 }}>
          <Radio value="as" label="Bill it" />
          <Radio value="not" label="Do not bill" />
        </div>
      </Radio.Group>
      {v.bill === 'not' ? (
        <TextInput label="Reason" placeholder="Free license, included in the plan" required maxLength={1000} value={v.reason} onChange={(e) => set({ reason: e.currentTarget.value })} />
      ) : (
        <Target license={license} values={v} set={set} />
      )}
      {v.bill === 'as' && preview.data && preview.data.foreign.length > 0 && <Foreign lines={preview.data.foreign} answer={v.answer} onAnswer={(answer) => set({ answer })} />}
      {preview.error && link && <FaultNote error={preview.error} onRetry={() => void preview.refetch()} />}
      {link && preview.data && (
        <div aria-busy={!current} style={{ opacity: current ? 1 : 0.6 }}>
          <Preview license={license} plan={preview.data.plan} of={preview.data} />
        </div>
      )}
      {(save.error ?? remove.error) && <FaultNote error={save.error ?? remove.error} />}
      <div className="row">
        <Button type="submit" variant="filled" loading={save.isPending} disabled={!link || unanswered || !current}>
          {approves ? 'Save and approve' : 'Save link'}
        </Button>
        {license.link && (
          <Button onClick={() => remove.mutate()} loading={remove.isPending}>
            Remove link
          </Button>
        )}
        <span className="quiet">Its customer is synced next.</span>
      </div>
    </form>
  );
}

function Stands({ license: l }: { license: License }) {
  if (!l.link) return <p>It is not linked.</p>;
  if (l.link.doNotBill)
    return (
      <p>
        It is not billed: <Text>{l.link.doNotBill}</Text>
      </p>
    );
  return (
    <dl className="facts">
      <dt>Billed as</dt>
      <dd>
        <Text>{l.link.profile?.name}</Text>
      </dd>
      <dt>Agreement</dt>
      <dd>
        <Text>{l.link.agreement?.name}</Text>
      </dd>
      <dt>Quantity</dt>
      <dd>{l.billed}</dd>
    </dl>
  );
}

function Suggestions({ license, onTake }: { license: License; onTake: (v: Partial<Values>) => void }) {
  const query = useQuery({
    queryKey: ['suggestions', license.id],
    queryFn: () => got(api.GET('/licenses/{license}/suggestions', { params: { path: { license: license.id } } })),
    retry: false,
  });
  return (
    <>
      {query.data?.items.slice(0, 3).map((s, i) => (
        <div className="note info" key={i}>
          <div>
            <b>
              <Text>{s.doNotBill ? 'Do not bill' : s.profile?.name}</Text>
            </b>
            {s.agreement && (
              <>
                {' '}
                on <Text>{s.agreement.name}</Text>
              </>
            )}
            {s.evidence.map((e) => (
              <div key={e.code} className="small quiet">
                <Text>{e.text}</Text>
              </div>
            ))}
          </div>
          <Button
            onClick={() => onTake(s.doNotBill ? { bill: 'not', reason: s.doNotBill } : { bill: 'as', profile: s.profile?.id, ...(s.agreement ? { agreement: s.agreement.id } : {}) })}
          >
            Take it
          </Button>
        </div>
      ))}
    </>
  );
}

const forms = [
  { value: 'none', label: 'No' },
  { value: 'name', label: 'By name' },
  { value: 'upn', label: 'By sign-in name' },
  { value: 'initials', label: 'By initials' },
];

/** Billed as what, where, and how it is counted. */
function Target({ license, values: v, set }: { license: License; values: Values; set: (v: Partial<Values>) => void }) {
  const profiles = useQuery(profilesQuery);
  const agreements = useQuery(agreementsQuery(license.customer.company));
  const profile = profiles.data?.items.find((p) => p.id === v.profile);
  const usable = fitting(agreements.data?.items ?? [], profile);
  const option = (o: Options) => set({ options: { ...v.options, ...o } });
  const notes = agreements.data?.items.find((a) => a.id === v.agreement)?.checks.filter((c) => !c.ok) ?? [];
  const here = license.link?.agreement;
  return (
    <div className="stack">
      <Select
        label="Billing profile"
        placeholder="Choose one"
        searchable
        required
        nothingFoundMessage="No such profile"
        data={(profiles.data?.items ?? []).filter((p) => !p.retired || p.id === v.profile).map((p) => ({ value: String(p.id), label: p.name }))}
        value={v.profile ? String(v.profile) : null}
        onChange={(to) => {
          const chosen = profiles.data?.items.find((p) => p.id === Number(to));
          const may = fitting(agreements.data?.items ?? [], chosen);
          set({ profile: Number(to), agreement: may.some((a) => a.id === v.agreement) ? v.agreement : may.length === 1 ? may[0]?.id : undefined });
        }}
        description={profile && `${profile.productName}, ${money(profile.price ?? profile.productPrice ?? '0', profile.currency)}`}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
      />
      <Select
        label="Agreement"
        placeholder={profile && usable.length === 0 && agreements.data ? 'None fits' : 'Choose one'}
        required
        disabled={!profile}
        data={[
          ...usable.map((a) => ({ value: String(a.id), label: `${a.name} (${a.typeName})` })),
          ...(here && !usable.some((a) => a.id === here.id) ? [{ value: String(here.id), label: here.name, disabled: true }] : []),
        ]}
        value={v.agreement ? String(v.agreement) : null}
        onChange={(to) => set({ agreement: Number(to) })}
        error={
          profile && agreements.data && usable.length === 0
            ? `No active agreement here is of a type that this profile uses (${profile.agreementTypes.map((t) => t.name).join(', ')}).`
            : undefined
        }
      />
      {agreements.error && <FaultNote error={agreements.error} onRetry={() => void agreements.refetch()} />}
      {notes.map((c) => (
        <div key={c.code} className="note warn">
          <div>
            {c.text} {c.action}
          </div>
        </div>
      ))}
      <Radio.Group label="Count by" value={v.options.basis ?? 'purchased'} onChange={(basis) => option({ basis: basis as Schemas['Basis'] })}>
        <div className="row" style={{ gap: 20 }}>
          <Radio value="purchased" label="Purchased licenses" />
          <Radio value="assigned" label="Assigned users" />
        </div>
      </Radio.Group>
      <Select label="Users on the invoice" data={forms} value={v.options.users ?? 'none'} onChange={(users) => option({ users: users as Schemas['UsersForm'] })} />
      <details>
        <summary className="quiet">More options</summary>
        <div className="stack" style={{ paddingTop: 12 }}>
          <div className="row">
            <NumberInput label="Included" description="Never billed" min={0} max={1_000_000} allowDecimal={false} value={v.options.included ?? 0} onChange={(n) => option({ included: Number(n) || 0 })} />
            <NumberInput label="Minimum" description="Billed at least" min={0} max={1_000_000} allowDecimal={false} value={v.options.minimum ?? 0} onChange={(n) => option({ minimum: Number(n) || 0 })} />
            <TextInput type="date" label="Start" description="Billed from" value={v.options.startDate ?? ''} onChange={(e) => option({ startDate: e.currentTarget.value || undefined })} />
          </div>
          <Textarea label="Own text on the invoice" autosize minRows={2} maxLength={6000} value={v.options.description ?? ''} onChange={(e) => option({ description: e.currentTarget.value })} />
          <Checkbox label="Show unassigned seats on the invoice" checked={v.options.showUnassigned ?? false} onChange={(e) => option({ showUnassigned: e.currentTarget.checked })} />
          <Checkbox label="Prorate decreases as a credit" checked={v.options.allowNegativeProrate ?? false} onChange={(e) => option({ allowNegativeProrate: e.currentTarget.checked })} />
          <Checkbox label="Bill seats in their grace period" checked={v.options.billGrace ?? false} onChange={(e) => option({ billGrace: e.currentTarget.checked })} />
          <Checkbox label="Bill trials" checked={v.options.billTrials ?? false} onChange={(e) => option({ billTrials: e.currentTarget.checked })} />
        </div>
      </details>
    </div>
  );
}

const answers = {
  adopt: ['Adopt it', 'Trueup keeps this line from now on.'],
  replace: ['Replace it', 'The line ends, and a line of Trueup takes its place.'],
  alongside: ['Keep both', 'The line stays as it is, and Trueup adds one beside it.'],
} as const;

/** Lines of the product that are not Trueup's must be answered: nothing is billed twice. */
function Foreign({ lines, answer, onAnswer }: { lines: Schemas['Addition'][]; answer?: Answer; onAnswer: (a: Answer) => void }) {
  const ids = lines.flatMap((l) => (l.id ? [l.id] : []));
  const pick = answer?.additions ?? ids.slice(0, 1);
  return (
    <fieldset className="stack" style={{ margin: 0, padding: 12, border: '1px solid var(--line-strong)', borderRadius: 5 }}>
      <legend>
        <b>The agreement has this product already</b>
      </legend>
      {lines.map((l) => (
        <Radio
          key={l.serial + String(l.id)}
          checked={pick.includes(l.id ?? -1)}
          disabled={!l.id || answer?.kind === 'alongside'}
          onChange={() => l.id && onAnswer({ kind: answer?.kind ?? 'adopt', additions: [l.id], withoutProration: answer?.withoutProration })}
          label={
            <>
              {quantity(l.quantity)} × <Text>{l.product}</Text>, from {day(l.effective)}
              {l.id && <span className="quiet"> #{l.id}</span>}
            </>
          }
        />
      ))}
      <Radio.Group
        label="What is it?"
        value={answer?.kind ?? ''}
        onChange={(kind) => onAnswer({ kind: kind as Answer['kind'], additions: kind === 'alongside' ? ids : pick, withoutProration: answer?.withoutProration })}
      >
        <div className="stack tight" style={{ paddingTop: 4 }}>
          {(Object.keys(answers) as (keyof typeof answers)[]).map((kind) => (
            <Radio key={kind} value={kind} label={answers[kind][0]} description={answers[kind][1]} />
          ))}
        </div>
      </Radio.Group>
      {answer?.kind === 'adopt' && (
        <Checkbox
          label="Set the count without proration, this once"
          checked={answer.withoutProration ?? false}
          onChange={(e) => onAnswer({ ...answer, withoutProration: e.currentTarget.checked })}
        />
      )}
    </fieldset>
  );
}
