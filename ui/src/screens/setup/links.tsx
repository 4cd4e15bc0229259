import { Button, Select } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { busy, useProgress } from '../../api/live';
import { count, many, monthly, moved as added, quantity, sums } from '../../format';
import { FaultNote, Loaded } from '../../parts/fault';
import { Becomes, Text } from '../../parts/show';
import { agreementsQuery, fitting, profilesQuery } from '../links/data';
import { proposalsQuery } from '../profiles/data';
import { grouped, pieces, type StepProps, stateOf, useEnded, useMoved } from './data';
import { Frame } from './frame';
import { Reading } from './reading';
import { type Seen, usePreviews } from './preview';

type Suggestion = Schemas['Suggestion'];
type Answer = Schemas['LinkAnswerInput'];

async function readSuggestions() {
  const items: Suggestion[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined && items.length < 20_000; ) {
    const page: Schemas['SuggestionPage'] = await got(api.GET('/suggestions', { params: { query: { limit: 2_000, cursor: cursor || undefined } } }));
    items.push(...page.items);
    cursor = page.next;
  }
  return items;
}

/** Step 6: each license with the profile and the agreement that it is billed by. */
export default function Links({ setup, next }: StepProps) {
  const { data: progress, isFetchedAfterMount: known } = useProgress();
  const reads = busy(progress);
  useEnded(reads, 'suggestions', 'licenses', 'profile-proposals');
  const suggestions = useQuery({ queryKey: ['suggestions', 'all'], queryFn: readSuggestions, staleTime: 30_000, retry: false, enabled: known && !reads });
  const done = stateOf(setup, 'links') === 'done';
  return (
    <Frame
      title="License links"
      why="A link says by which profile and on which agreement a license is billed; what is suggested comes from your agreements and profile names."
      side={<Side failing={progress?.failing ?? 0} />}
    >
      {reads && progress ? (
        <Reading progress={progress} what="Reading licenses" />
      ) : (
        <Loaded query={suggestions} what="The suggestions" rows={8}>
          {(all) => <Suggested all={all} done={done} next={next} />}
        </Loaded>
      )}
    </Frame>
  );
}

/** What has no suggestion, and profiles that would give it one. */
function Side({ failing }: { failing: number }) {
  const moved = useMoved();
  const unlinked = useQuery({ queryKey: ['licenses', 'unlinked'], queryFn: () => got(api.GET('/licenses', { params: { query: { only: 'notLinked', limit: 1 } } })) });
  const proposals = useQuery(proposalsQuery);
  const profiles = useQuery(profilesQuery);
  const fresh = (proposals.data?.items ?? []).filter((p) => p.customers > 0 && p.product && p.agreementTypes.length > 0 && !p.exists?.id);
  const make = useMutation({
    mutationFn: () =>
      got(
        api.POST('/profiles/bulk', {
          body: {
            items: fresh.slice(0, 200).map((p) => ({ name: p.name, agreementTypes: p.agreementTypes.map((t) => t.id), product: p.product?.id ?? 0, bill: 'billable' as const })),
          },
        }),
      ),
    onSuccess: () => moved('profiles', 'profile-proposals', 'suggestions'),
  });
  return (
    <>
      <dl className="facts">
        <dt>Not linked yet</dt>
        <dd>{unlinked.data ? many(unlinked.data.total, 'license') : '—'}</dd>
        <dt>Billing profiles</dt>
        <dd>{profiles.data ? count(profiles.data.items.length) : '—'}</dd>
      </dl>
      {failing > 0 && (
        <div className="note warn">
          <div>
            {many(failing, 'customer')} could not be read. <Link to="/customers" search={{ state: 'failing' } as never}>See why</Link>
          </div>
        </div>
      )}
      {fresh.length > 0 && (
        <div className="stack tight">
          <h3>{many(fresh.length, 'license')} could have a profile</h3>
          <p className="small quiet">Customers have them, and your catalog has their product: {fresh.slice(0, 4).map((p) => p.name).join(', ')}.</p>
          <div>
            <Button onClick={() => make.mutate()} loading={make.isPending}>
              Make {many(fresh.length, 'profile')}
            </Button>
          </div>
          {make.error && <FaultNote error={make.error} />}
        </div>
      )}
      <p className="small quiet">
        What is left out here can be linked later, under <Link to="/links">License links</Link>, one by one or many at once.
      </p>
    </>
  );
}

interface Row {
  of: Suggestion;
  agreement?: number;
  answer?: Answer;
  seen?: Seen;
  /** What is sent, once nothing is missing. */
  link?: Schemas['LinkInput'];
}

/** The answer that is proposed for a line that stands already: it is taken over, where there is only one. */
function proposed(seen: Seen | undefined): Answer | undefined {
  const [line, more] = seen?.preview?.foreign ?? [];
  return line?.id && !more ? { kind: 'adopt', additions: [line.id] } : undefined;
}

function Suggested({ all, done, next }: { all: Suggestion[]; done: boolean; next: () => void }) {
  const moved = useMoved();
  const [off, setOff] = useState<Set<string>>(new Set());
  const [places, setPlaces] = useState<Record<string, number>>({});
  const [answers, setAnswers] = useState<Record<string, Answer>>({});
  const wish = (s: Suggestion): Schemas['LinkInput'] | undefined => {
    const agreement = places[s.license.id] ?? s.agreement?.id;
    if (s.doNotBill) return { doNotBill: s.doNotBill };
    return s.profile && agreement ? { profile: s.profile.id, agreement, answer: answers[s.license.id] } : undefined;
  };
  const on = all.filter((s) => !off.has(s.license.id));
  const items = on.flatMap((s) => {
    const link = wish(s);
    return link ? [{ license: s.license.id, customer: s.customer.id ?? 0, link }] : [];
  });
  const { seen, left } = usePreviews(items.filter((i) => i.link.doNotBill === undefined));
  useEffect(() => {
    setAnswers((before) => {
      const more = [...seen].flatMap(([license, s]) => {
        const answer = before[license] ? undefined : proposed(s);
        return answer ? [[license, answer] as const] : [];
      });
      return more.length > 0 ? { ...before, ...Object.fromEntries(more) } : before;
    });
  }, [seen]);

  const rows: Row[] = all.map((of) => ({ of, agreement: places[of.license.id] ?? of.agreement?.id, answer: answers[of.license.id], seen: seen.get(of.license.id), link: wish(of) }));
  const unanswered = (license: string) => Boolean(seen.get(license)?.preview?.foreign.length) && !answers[license];
  const ready = items.filter((i) => !unanswered(i.license));
  const total = sums(ready.flatMap((i) => seen.get(i.license)?.preview?.money ?? []));

  const [sent, setSent] = useState(0);
  const save = useMutation({
    mutationFn: async () => {
      const faults = new Map<string, string>();
      setSent(0);
      for (const some of pieces([...grouped(ready, (i) => i.customer).values()], 6)) {
        const body = { items: some.flat().map(({ license, link }) => ({ license, link })) };
        const r = await got(api.POST('/links/bulk', { body }));
        for (const one of r.results) if (!one.ok) faults.set(body.items[one.index]?.license ?? '', [one.text, one.action].filter(Boolean).join(' '));
        setSent((n) => n + body.items.length);
      }
      return { saved: ready.length - faults.size, faults };
    },
    onSettled: () => moved('licenses', 'suggestions', 'sync', 'approvals'),
    onSuccess: (r) => r.faults.size === 0 && next(),
  });
  const toggle = (license: string) => {
    const to = new Set(off);
    if (!to.delete(license)) to.add(license);
    setOff(to);
  };

  if (all.length === 0) {
    return (
      <div className="stack">
        <p>{done ? 'Nothing else is suggested.' : 'Nothing is suggested: make billing profiles for what your customers have, or link the first license under License links.'}</p>
        <div className="row">
          <Button variant="filled" disabled={!done} onClick={next}>
            Continue
          </Button>
        </div>
      </div>
    );
  }
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        if (ready.length > 0) save.mutate();
        else next();
      }}
    >
      <Grid
        rows={rows}
        off={off}
        toggle={toggle}
        faults={save.data?.faults}
        onPlace={(license, agreement) => setPlaces({ ...places, [license]: agreement })}
        onAnswer={(license, answer) => setAnswers({ ...answers, [license]: answer })}
      />
      {save.error && <FaultNote error={save.error} />}
      {save.data && save.data.faults.size > 0 && (
        <div className="note warn" role="alert">
          <div>
            {count(save.data.saved)} saved, {count(save.data.faults.size)} not. Those that were not say why.
          </div>
          {save.data.saved > 0 && <Button onClick={next}>Continue all the same</Button>}
        </div>
      )}
      <div className="row wrap">
        <Button type="submit" variant="filled" loading={save.isPending} disabled={(ready.length === 0 && !done) || left > 0}>
          {ready.length > 0 ? `Save ${many(ready.length, 'link')} and continue` : 'Continue'}
        </Button>
        <span className="small quiet" role="status">
          {save.isPending ? `Saving, ${count(sent)} of ${count(ready.length)}` : left > 0 ? `Looking at what they lead to, ${many(left, 'customer')} left` : `${monthly(total)} per month. Nothing is billed here: saved links start at the next sync.`}
        </span>
      </div>
    </form>
  );
}

interface GridProps {
  rows: Row[];
  off: Set<string>;
  toggle: (license: string) => void;
  faults?: Map<string, string>;
  onPlace: (license: string, agreement: number) => void;
  onAnswer: (license: string, answer: Answer) => void;
}

const shownAtMost = 200;

function Grid({ rows, off, toggle, faults, onPlace, onAnswer }: GridProps) {
  return (
    <div className="scrolls">
      <table className="lines">
        <thead>
          <tr>
            <th scope="col">
              <span className="unseen">Link it</span>
            </th>
            <th scope="col">License</th>
            <th scope="col">Billed as</th>
            <th scope="col" className="num">
              Quantity
            </th>
            <th scope="col" className="num">
              Per month
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shownAtMost).map((r) => {
            const id = r.of.license.id;
            const plan = r.seen?.preview?.plan;
            const fault = faults?.get(id) ?? r.seen?.problem;
            return (
              <tr key={id}>
                <td className="tick">
                  <label>
                    <span className="unseen">
                      Link {r.of.license.name}, {r.of.customer.name}
                    </span>
                    <input type="checkbox" checked={!off.has(id)} onChange={() => toggle(id)} />
                  </label>
                </td>
                <td>
                  <Text>{r.of.license.name}</Text>
                  <div className="small quiet">
                    <Text>{r.of.customer.name}</Text>
                  </div>
                </td>
                <td>
                  <Place row={r} onPlace={(agreement) => onPlace(id, agreement)} />
                  {!off.has(id) && <Standing row={r} onAnswer={(answer) => onAnswer(id, answer)} />}
                  {fault && <div className="small faulty">{fault}</div>}
                </td>
                <td className="num">{plan ? <Becomes from={plan.was} to={plan.seats.billed} /> : '—'}</td>
                <td className="num">{plan ? added(plan.money.monthly, plan.money.currency) : '—'}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {rows.length > shownAtMost && (
        <p className="small quiet">
          {shownAtMost} of {count(rows.length)} are shown; all that are ticked are linked.
        </p>
      )}
    </div>
  );
}

/** As what and where it is billed; the agreement is asked for where it isn't clear. */
function Place({ row, onPlace }: { row: Row; onPlace: (agreement: number) => void }) {
  const s = row.of;
  const profiles = useQuery(profilesQuery);
  const unclear = !s.doNotBill && !s.agreement;
  const agreements = useQuery({ ...agreementsQuery(s.customer.company), enabled: unclear });
  if (s.doNotBill) {
    return (
      <>
        Not billed
        <div className="small quiet">
          <Text>{s.doNotBill}</Text>
        </div>
      </>
    );
  }
  const usable = fitting(agreements.data?.items ?? [], profiles.data?.items.find((p) => p.id === s.profile?.id));
  return (
    <>
      <Text>{s.profile?.name}</Text>
      {s.agreement ? (
        <div className="small quiet">
          <Text>{s.agreement.name}</Text>
        </div>
      ) : agreements.data && usable.length === 0 ? (
        <div className="small warned">No active agreement of this company fits the profile. It is left out.</div>
      ) : (
        <Select
          aria-label={`Agreement for ${s.license.name}, ${s.customer.name}`}
          placeholder="Choose an agreement"
          data={usable.map((a) => ({ value: String(a.id), label: a.name }))}
          value={row.agreement ? String(row.agreement) : null}
          onChange={(v) => onPlace(Number(v))}
        />
      )}
    </>
  );
}

const kinds = [
  { value: 'adopt', label: 'Take it over' },
  { value: 'replace', label: 'Replace it' },
  { value: 'alongside', label: 'Keep both' },
];

/** Lines of the product that stand on the agreement already must be answered: nothing is billed twice. */
function Standing({ row, onAnswer }: { row: Row; onAnswer: (answer: Answer) => void }) {
  const lines = row.seen?.preview?.foreign ?? [];
  const ids = lines.flatMap((l) => (l.id ? [l.id] : []));
  if (ids.length === 0) return null;
  return (
    <div className="row wrap standing">
      <span className="small warned">
        {ids.length === 1
          ? `It has a line of ${quantity(lines[0]?.quantity ?? '0')} already (#${ids[0]}).`
          : `It has ${ids.length} lines of this product already.`}
      </span>
      <Select
        aria-label={`What becomes of what stands for ${row.of.license.name}, ${row.of.customer.name}`}
        placeholder="What becomes of it?"
        data={kinds}
        value={row.answer?.kind ?? null}
        onChange={(kind) => onAnswer({ kind: kind as Answer['kind'], additions: kind === 'alongside' ? ids : ids.slice(0, 1) })}
        w={130}
      />
    </div>
  );
}
