import { useEffect, useMemo, useState } from 'react';
import { day, money, moved, quantity } from '../format';
import { Lines } from './detail';
import { Fault, type License, type Schemas } from './model';
import type { Pod } from './pod';
import { told } from './rows';
import { Becomes, Button, FaultNote, Note, Text, useAsked, useDo } from './show';

type Options = Schemas['LinkOptionsInput'];
type Answer = Schemas['LinkAnswerInput'];
type Preview = Schemas['LinkPreview'];
type Agreement = Schemas['Agreement'];
type Profile = Schemas['Profile'];

const settles = 350; // ms after the last change until the preview is asked for

/** What the form holds. */
export interface Values {
  bill: boolean;
  reason: string;
  profile?: number;
  agreement?: number;
  options: Options;
  answer?: Answer;
}

/** What a license's link starts from; what isn't set is the workspace's default. */
export const begins = (l: License): Values => ({
  bill: !l.link?.doNotBill,
  reason: l.link?.doNotBill ?? '',
  profile: l.link?.profile?.id,
  agreement: l.link?.agreement?.id,
  options: l.link?.profile ? l.link.options : {},
  answer: l.link?.answer,
});

/** The form as it is sent; undefined while something is missing. */
export function input(v: Values): Schemas['LinkInput'] | undefined {
  if (!v.bill) return v.reason.trim() ? { doNotBill: v.reason.trim() } : undefined;
  return v.profile && v.agreement ? { profile: v.profile, agreement: v.agreement, options: v.options, answer: v.answer } : undefined;
}

/** The agreements that a link with a profile may use. */
export const fitting = (all: Agreement[], profile?: Profile) =>
  all.filter((a) => a.active && a.usable && profile && (profile.agreementTypes.length === 0 || profile.agreementTypes.some((t) => t.id === a.type)));

/** Asks what saving would lead to, a moment after the last change; a newer question drops an older answer. */
function usePreview(pod: Pod, license: string, link: Schemas['LinkInput'] | undefined) {
  const sent = link && JSON.stringify(link);
  const [got, setGot] = useState<{ of?: string; preview?: Preview; fault?: Fault }>({});
  useEffect(() => {
    if (!sent) return undefined;
    let stale = false;
    const timer = setTimeout(() => {
      pod.ask<Preview>('POST', `/licenses/${license}/link/preview`, JSON.parse(sent)).then(
        (preview) => stale || setGot({ of: sent, preview }),
        (e: unknown) => stale || setGot({ of: sent, fault: e instanceof Fault ? e : undefined }),
      );
    }, settles);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [pod, license, sent]);
  return { preview: sent ? got.preview : undefined, fault: got.of === sent ? got.fault : undefined, current: Boolean(sent) && got.of === sent && Boolean(got.preview) };
}

/** Links a license or says that it isn't billed, with what that leads to beside it. */
export function LinkForm({ pod, license: l, onSaved, onClose }: { pod: Pod; license: License; onSaved: () => void; onClose: () => void }) {
  const [v, setV] = useState<Values>(() => begins(l));
  const set = (change: Partial<Values>) => setV((before) => ({ ...before, ...change }));
  const link = useMemo(() => input(v), [v]);
  const { preview, fault, current } = usePreview(pod, l.id, link);
  const { busy, fault: refused, run } = useDo();
  const approves = Boolean(current && preview?.needsApproval && preview.mayApprove);
  const unanswered = Boolean(v.bill && preview && preview.foreign.length > 0 && !v.answer);
  const save = () =>
    run(async () => {
      await pod.ask('PUT', `/licenses/${l.id}/link`, { ...link, approve: approves ? preview?.fingerprint : undefined });
      onSaved();
    });
  const remove = () =>
    run(async () => {
      await pod.ask('DELETE', `/licenses/${l.id}/link`);
      onSaved();
    });
  return (
    <form
      className="panel form"
      aria-label={`Link ${l.name}`}
      onSubmit={(e) => {
        e.preventDefault();
        if (current && !unanswered) void save();
      }}
    >
      {!l.link && <Suggestions pod={pod} license={l} onTake={set} />}
      <fieldset>
        <legend className="unseen">Billing</legend>
        <Choice name="bill" checked={v.bill} onCheck={() => set({ bill: true })} word="Bill it" />
        <Choice name="bill" checked={!v.bill} onCheck={() => set({ bill: false })} word="Do not bill" />
      </fieldset>
      {v.bill ? (
        <Target pod={pod} values={v} set={set} here={l.link?.agreement} />
      ) : (
        <label className="field">
          Reason
          <input required maxLength={1000} placeholder="Free license, included in the plan" value={v.reason} onChange={(e) => set({ reason: e.currentTarget.value })} />
        </label>
      )}
      {v.bill && preview && preview.foreign.length > 0 && <Foreign lines={preview.foreign} answer={v.answer} onAnswer={(answer) => set({ answer })} />}
      <FaultNote fault={fault} />
      {preview && (
        <section className={current ? 'preview' : 'preview old'} aria-label="Preview" aria-busy={!current}>
          <What license={l} preview={preview} />
        </section>
      )}
      <FaultNote fault={refused} />
      <div className="row wrap">
        <button type="submit" className="main" disabled={busy || !current || unanswered}>
          {approves ? 'Save and approve' : 'Save link'}
        </button>
        <Button onClick={onClose}>Cancel</Button>
        {l.link && (
          <Button disabled={busy} onClick={() => void remove()}>
            Remove link
          </Button>
        )}
        <span className="quiet">The company is synced next.</span>
      </div>
    </form>
  );
}

const Choice = ({ name, checked, onCheck, word }: { name: string; checked: boolean; onCheck: () => void; word: React.ReactNode }) => (
  <label className="choice">
    <input type="radio" name={name} checked={checked} onChange={onCheck} /> {word}
  </label>
);

function Target({ pod, values: v, set, here }: { pod: Pod; values: Values; set: (v: Partial<Values>) => void; here?: Schemas['AgreementRef'] }) {
  const profiles = useAsked<Schemas['Profiles']>(pod, '/embed/profiles');
  const agreements = useAsked<Schemas['Agreements']>(pod, '/embed/agreements');
  const all = profiles.data?.items.filter((p) => !p.retired || p.id === v.profile) ?? [];
  const profile = all.find((p) => p.id === v.profile);
  const may = fitting(agreements.data?.items ?? [], profile);
  const option = (o: Options) => set({ options: { ...v.options, ...o } });
  const choose = (id: number) => {
    const fit = fitting(agreements.data?.items ?? [], all.find((p) => p.id === id));
    set({ profile: id || undefined, agreement: fit.some((a) => a.id === v.agreement) ? v.agreement : fit.length === 1 ? fit[0]?.id : undefined });
  };
  return (
    <>
      <label className="field">
        Billing profile
        <select required value={v.profile ?? ''} onChange={(e) => choose(Number(e.currentTarget.value))}>
          <option value="">Choose one</option>
          {all.map((p) => (
            <option key={p.id} value={p.id}>
              {p.name} ({money(p.price ?? p.productPrice ?? '0', p.currency)})
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        Agreement
        <select required disabled={!profile} value={v.agreement ?? ''} onChange={(e) => set({ agreement: Number(e.currentTarget.value) || undefined })}>
          <option value="">{profile && agreements.data && may.length === 0 ? 'None fits' : 'Choose one'}</option>
          {may.map((a) => (
            <option key={a.id} value={a.id}>
              {a.name} #{a.id} ({a.typeName})
            </option>
          ))}
          {here && !may.some((a) => a.id === here.id) && (
            <option value={here.id} disabled>
              {here.name} #{here.id}
            </option>
          )}
        </select>
      </label>
      <FaultNote fault={profiles.fault ?? agreements.fault} retry={() => (profiles.fault ? profiles.again() : agreements.again())} />
      {profile && agreements.data && may.length === 0 && (
        <Note kind="warn">No active agreement here is of a type that this profile uses ({profile.agreementTypes.map((t) => t.name).join(', ')}).</Note>
      )}
      {agreements.data?.items
        .find((a) => a.id === v.agreement)
        ?.checks.filter((c) => !c.ok)
        .map((c) => (
          <Note key={c.code} kind="warn">
            {c.text} {c.action}
          </Note>
        ))}
      <fieldset>
        <legend>Count</legend>
        <Choice name="basis" checked={v.options.basis !== 'assigned'} onCheck={() => option({ basis: 'purchased' })} word="Purchased licenses" />
        <Choice name="basis" checked={v.options.basis === 'assigned'} onCheck={() => option({ basis: 'assigned' })} word="Assigned users" />
      </fieldset>
      <More options={v.options} option={option} />
    </>
  );
}

const whole = (text: string) => Math.max(0, Math.min(1_000_000, Number.parseInt(text, 10) || 0));

function More({ options: o, option }: { options: Options; option: (o: Options) => void }) {
  const tick = (key: 'showUnassigned' | 'allowNegativeProrate' | 'billGrace' | 'billTrials', word: string) => (
    <label className="choice">
      <input type="checkbox" checked={o[key] ?? false} onChange={(e) => option({ [key]: e.currentTarget.checked })} /> {word}
    </label>
  );
  return (
    <>
      <label className="field">
        Users on the invoice
        <select value={o.users ?? ''} onChange={(e) => option({ users: (e.currentTarget.value || undefined) as Options['users'] })}>
          {!o.users && <option value="">As the workspace has it</option>}
          <option value="none">No</option>
          <option value="name">By name</option>
          <option value="upn">By sign-in name</option>
          <option value="initials">By initials</option>
        </select>
      </label>
      <details>
        <summary className="quiet">More options</summary>
        <div className="more-options">
          <label className="field">
            Included, never billed
            <input type="number" min={0} max={1_000_000} value={o.included ?? 0} onChange={(e) => option({ included: whole(e.currentTarget.value) })} />
          </label>
          <label className="field">
            Minimum, billed at least
            <input type="number" min={0} max={1_000_000} value={o.minimum ?? 0} onChange={(e) => option({ minimum: whole(e.currentTarget.value) })} />
          </label>
          <label className="field">
            Billed from
            <input type="date" value={o.startDate ?? ''} onChange={(e) => option({ startDate: e.currentTarget.value || undefined })} />
          </label>
          <label className="field grow">
            Own text on the invoice
            <textarea rows={2} maxLength={6000} value={o.description ?? ''} onChange={(e) => option({ description: e.currentTarget.value })} />
          </label>
          {tick('showUnassigned', 'Show unassigned seats on the invoice')}
          {tick('allowNegativeProrate', 'Prorate decreases as a credit')}
          {tick('billGrace', 'Bill seats in their grace period')}
          {tick('billTrials', 'Bill trials')}
        </div>
      </details>
    </>
  );
}

const answers: Record<Answer['kind'], string> = {
  adopt: 'Adopt it: Trueup keeps this line from now on',
  replace: 'Replace it: the line ends, and a line of Trueup takes its place',
  alongside: 'Keep both: Trueup adds a line beside it',
};

/** Lines of the product that are not ours must be answered: nothing is billed twice. */
function Foreign({ lines, answer, onAnswer }: { lines: Schemas['Addition'][]; answer?: Answer; onAnswer: (a: Answer) => void }) {
  const ids = lines.flatMap((a) => (a.id ? [a.id] : []));
  const picked = answer?.additions[0] ?? ids[0];
  const say = (kind: Answer['kind'], id = picked) => onAnswer({ kind, additions: kind === 'alongside' ? ids : id ? [id] : [], withoutProration: answer?.withoutProration });
  return (
    <fieldset className="boxed">
      <legend>The agreement has this product already</legend>
      {lines.map((a) => (
        <Choice
          key={`${a.id}${a.serial}`}
          name="line"
          checked={picked === a.id}
          onCheck={() => say(answer?.kind ?? 'adopt', a.id)}
          word={
            <>
              {quantity(a.quantity)} × <Text>{a.product}</Text> from {day(a.effective)} {a.id && <span className="quiet">#{a.id}</span>}
            </>
          }
        />
      ))}
      <hr />
      {(Object.keys(answers) as Answer['kind'][]).map((kind) => (
        <Choice key={kind} name="answer" checked={answer?.kind === kind} onCheck={() => say(kind)} word={answers[kind]} />
      ))}
      {answer?.kind === 'adopt' && (
        <label className="choice">
          <input type="checkbox" checked={answer.withoutProration ?? false} onChange={(e) => onAnswer({ ...answer, withoutProration: e.currentTarget.checked })} /> Set the count without
          proration, this once
        </label>
      )}
    </fieldset>
  );
}

/** What saving leads to: quantity, money, lines, and the text of the invoice. */
function What({ license: l, preview: p }: { license: License; preview: Preview }) {
  const plan = p.plan;
  const bad = p.checks.filter((c) => !c.ok);
  return (
    <>
      <p>
        {plan ? (
          <>
            <Becomes from={plan.was} to={plan.seats.billed} />, <b>{moved(plan.money.monthly, plan.money.currency)}</b> per month
          </>
        ) : (
          <>Nothing changes{l.link?.profile ? `, ${l.billed} stay billed` : ''}.</>
        )}
        {p.needsApproval && <span className="quiet"> {p.mayApprove ? 'Saving approves it as it is shown.' : 'It waits for an approval after saving.'}</span>}
      </p>
      {plan?.holds.map((h) => (
        <Note key={h.code} kind="warn">
          <Text>{h.text}</Text> {h.action}
        </Note>
      ))}
      {plan && plan.changes.some(told) && <Lines changes={plan.changes.filter(told)} currency={plan.money.currency} nextInvoice={plan.money.nextInvoice} />}
      {bad.map((c) => (
        <Note key={c.code} kind="warn">
          {c.text} {c.action}
        </Note>
      ))}
      {p.descriptions.length > 0 && (
        <details>
          <summary className="quiet">The text on the invoice</summary>
          {p.descriptions.map((text, i) => (
            <pre key={i} dir="auto">
              {text}
            </pre>
          ))}
        </details>
      )}
    </>
  );
}

/** What others or the lines of the agreement suggest. */
function Suggestions({ pod, license, onTake }: { pod: Pod; license: License; onTake: (v: Partial<Values>) => void }) {
  const { data } = useAsked<Schemas['SuggestionPage']>(pod, `/licenses/${license.id}/suggestions`);
  return (
    <>
      {data?.items.slice(0, 2).map((s, i) => (
        <Note
          key={i}
          kind="info"
          action={
            <Button onClick={() => onTake(s.doNotBill ? { bill: false, reason: s.doNotBill } : { bill: true, profile: s.profile?.id, agreement: s.agreement?.id })}>Take it</Button>
          }
        >
          <b>
            <Text>{s.doNotBill ? `Do not bill: ${s.doNotBill}` : s.profile?.name}</Text>
          </b>
          {s.agreement && (
            <>
              {' '}
              on <Text>{s.agreement.name}</Text>
            </>
          )}
          {s.evidence.map((e) => (
            <span key={e.code} className="second">
              <Text>{e.text}</Text>
            </span>
          ))}
        </Note>
      ))}
    </>
  );
}
