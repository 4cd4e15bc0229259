import { Button, SegmentedControl, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { count, many } from '../../format';
import { FaultNote, Loaded } from '../../parts/fault';
import { Status, Text } from '../../parts/show';
import { type Connection, connectionsQuery } from '../connections/data';
import { consentAll } from './consenting';
import { grouped, pieces, type StepProps, stateOf, useMoved } from './data';
import { Frame } from './frame';

type Match = Schemas['Match'];
type Tenant = Schemas['Tenant'];
type Pair = { match: Match; tenant: Tenant };

const confidences = { sure: ['ok', 'Sure'], likely: ['change', 'Likely'], none: ['none', 'None'] } as const;
const most = 500; // that one request adds

/** All matches: the sure ones come first, so that a cut list still has them. */
async function readMatches() {
  const first = await got(api.GET('/matches', { params: { query: { limit: 2_000 } } }));
  const items = [...first.items];
  for (let cursor = first.next; cursor && items.length < 20_000; ) {
    const page = await got(api.GET('/matches', { params: { query: { limit: 2_000, cursor } } }));
    items.push(...page.items);
    cursor = page.next;
  }
  return { ...first, items };
}

/** Step 5: companies of ConnectWise with their Microsoft tenants. The sure ones are chosen. */
export default function Customers({ setup, next }: StepProps) {
  const matches = useQuery({ queryKey: ['matches', 'all'], queryFn: readMatches, staleTime: 60_000, retry: false });
  const connections = useQuery(connectionsQuery);
  const done = stateOf(setup, 'customers') === 'done';
  const m = matches.data;
  return (
    <Frame
      title="Customers"
      why="A customer is a company of ConnectWise with its Microsoft tenant; Trueup finds which is which."
      side={
        m && (
          <div className="stack tight">
            <h3>What was compared</h3>
            <dl className="facts">
              <dt>Sure</dt>
              <dd>{count(m.sure)}</dd>
              <dt>Likely</dt>
              <dd>{count(m.likely)}</dd>
              <dt>No match</dt>
              <dd>{count(m.unmatched)}</dd>
            </dl>
            <p className="small quiet">Names, domains and websites were compared. Companies without a match can be added later, under Customers.</p>
          </div>
        )
      }
    >
      <Loaded query={matches} what="The companies and tenants" rows={8}>
        {(all) => (
          <Matcher matches={all.items.filter((k) => k.company.customer === undefined)} connections={connections.data?.items ?? []} done={done} next={next} />
        )}
      </Loaded>
      {matches.error && done && (
        <div>
          <Button variant="filled" onClick={next}>
            Continue
          </Button>
        </div>
      )}
    </Frame>
  );
}

const certain = (m: Match) => m.confidence === 'sure' && m.tenant !== undefined && !m.duplicate;

/** Adds what was chosen: tenants of a partner are consented first, so that they can be read at once. */
function useAdding(connections: Connection[], onDone: () => void) {
  const moved = useMoved();
  const [progress, setProgress] = useState<{ done: number; of: number }>();
  const add = useMutation({
    mutationFn: async (pairs: Pair[]) => {
      const refused: Schemas['TenantConsent'][] = [];
      const wanting = pairs.filter((p) => connections.some((c) => c.id === p.tenant.connection && c.kind === 'partnerConsent'));
      let before = 0;
      for (const [connection, those] of grouped(wanting, (p) => p.tenant.connection)) {
        const asked = await consentAll(connection, those.map((p) => p.tenant.id), (done) => setProgress({ done: before + done, of: wanting.length }));
        refused.push(...asked.filter((c) => c.state === 'failed'));
        before += those.length;
      }
      const able = pairs.filter((p) => !refused.some((c) => c.tenant === p.tenant.id));
      const failed: { name: string; text: string }[] = refused.map((c) => ({ name: c.name, text: `${c.text ?? ''} ${c.action ?? ''}` }));
      for (const some of pieces(able, most)) {
        const r = await got(
          api.POST('/customers/bulk', { body: { items: some.map((p) => ({ company: p.match.company.id, tenants: [{ tenant: p.tenant.id, connection: p.tenant.connection }] })) } }),
        );
        for (const one of r.results) if (!one.ok) failed.push({ name: some[one.index]?.match.company.name ?? '', text: `${one.text ?? ''} ${one.action ?? ''}` });
      }
      return { added: pairs.length - failed.length, failed };
    },
    onSettled: () => {
      setProgress(undefined);
      return moved('customers', 'matches', 'sync');
    },
    onSuccess: (r) => r.failed.length === 0 && onDone(),
  });
  return { add, progress };
}

function Matcher({ matches, connections, done, next }: { matches: Match[]; connections: Connection[]; done: boolean; next: () => void }) {
  const [chosen, setChosen] = useState<Map<number, Tenant>>(() => new Map(matches.filter(certain).flatMap((m) => (m.tenant ? [[m.company.id, m.tenant]] : []))));
  const [text, setText] = useState('');
  const [show, setShow] = useState<'all' | 'chosen' | 'unmatched'>('all');
  const { add, progress } = useAdding(connections, next);
  const pairs = matches.flatMap((match): Pair[] => {
    const tenant = chosen.get(match.company.id);
    return tenant ? [{ match, tenant }] : [];
  });
  const set = (m: Match, tenant: Tenant | undefined) => {
    const to = new Map(chosen);
    if (tenant) to.set(m.company.id, tenant);
    else to.delete(m.company.id);
    setChosen(to);
  };
  const wanted = text.trim().toLowerCase();
  const seen = matches.filter(
    (m) =>
      (show === 'all' || (show === 'chosen') === chosen.has(m.company.id)) &&
      (!wanted || [m.company.name, m.company.identifier, m.tenant?.name, m.tenant?.domain].some((t) => t?.toLowerCase().includes(wanted))),
  );
  const sure = matches.filter(certain);
  const missing = sure.filter((m) => !chosen.has(m.company.id));

  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        if (pairs.length > 0) add.mutate(pairs);
        else next();
      }}
    >
      {matches.length === 0 ? (
        <p>{done ? 'Every company that was found is a customer already.' : 'No company was found in ConnectWise.'}</p>
      ) : (
        <>
          <div className="row wrap">
            <TextInput aria-label="Company or tenant" placeholder="Company or tenant" value={text} onChange={(e) => setText(e.currentTarget.value)} w={190} />
            <SegmentedControl
              aria-label="Which to see"
              value={show}
              onChange={(v) => setShow(v as typeof show)}
              data={[
                { value: 'all', label: 'All' },
                { value: 'chosen', label: `Chosen ${count(pairs.length)}` },
                { value: 'unmatched', label: 'Unmatched' },
              ]}
            />
            {missing.length > 0 && (
              <Button onClick={() => setChosen(new Map([...chosen, ...sure.flatMap((m) => (m.tenant ? [[m.company.id, m.tenant] as const] : []))]))}>
                Accept {many(sure.length, 'sure match', 'sure matches')}
              </Button>
            )}
          </div>
          <Table matches={seen} chosen={chosen} set={set} />
        </>
      )}
      {add.error && <FaultNote error={add.error} />}
      {add.data && add.data.failed.length > 0 && (
        <div className="note warn" role="alert">
          <div>
            {count(add.data.added)} added, {count(add.data.failed.length)} not:
            {add.data.failed.slice(0, 50).map((f, i) => (
              <div key={i}>
                <Text>{f.name}</Text>: {f.text}
              </div>
            ))}
          </div>
          {add.data.added > 0 && <Button onClick={next}>Continue all the same</Button>}
        </div>
      )}
      {progress && (
        <div role="status">
          Consenting tenants, {count(progress.done)} of {count(progress.of)}
          <progress className="wide" aria-label="Tenants consented" value={progress.done} max={Math.max(progress.of, 1)} />
        </div>
      )}
      <div className="row wrap">
        <Button type="submit" variant="filled" loading={add.isPending} disabled={pairs.length === 0 && !done}>
          {pairs.length > 0 ? `Add ${many(pairs.length, 'customer')} and continue` : 'Continue'}
        </Button>
        <span className="small quiet">Adding reads their licenses. Nothing is billed by it.</span>
      </div>
      {pairs.length === 0 && !done && matches.length > 0 && <p className="small quiet">Choose the tenant of at least one company.</p>}
    </form>
  );
}

const shownAtMost = 150;

function Table({ matches, chosen, set }: { matches: Match[]; chosen: Map<number, Tenant>; set: (m: Match, t: Tenant | undefined) => void }) {
  return (
    <>
      <table className="lines">
        <thead>
          <tr>
            <th scope="col">Company</th>
            <th scope="col">Tenant</th>
            <th scope="col">Match</th>
          </tr>
        </thead>
        <tbody>
          {matches.slice(0, shownAtMost).map((m) => {
            const [tone, word] = confidences[m.confidence];
            const tenants = [m.tenant, ...m.others].flatMap((t) => t ?? []);
            return (
              <tr key={m.company.id}>
                <td>
                  <Text>{m.company.name}</Text>
                  {m.evidence.slice(0, 2).map((e) => (
                    <div key={e.code} className="small quiet">
                      <Text>{e.text}</Text>
                    </div>
                  ))}
                  {m.duplicate && <div className="small warned">This tenant is proposed for another company too.</div>}
                  {m.tenant && !m.tenant.delegated && <div className="small warned">No delegated relationship lets us read it.</div>}
                </td>
                <td className="half">
                  {tenants.length === 0 ? (
                    <span className="quiet">None found</span>
                  ) : (
                    <Select
                      aria-label={`Tenant of ${m.company.name}`}
                      placeholder={m.tenant ? `${m.tenant.name}?` : 'Choose one'}
                      clearable
                      data={tenants.map((t) => ({ value: t.id, label: t.domain ? `${t.name} (${t.domain})` : t.name }))}
                      value={chosen.get(m.company.id)?.id ?? null}
                      onChange={(v) => set(m, tenants.find((t) => t.id === v))}
                    />
                  )}
                </td>
                <td>
                  <Status tone={tone}>{word}</Status>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {matches.length > shownAtMost && (
        <p className="small quiet">
          {shownAtMost} of {count(matches.length)} are shown; find the others by name. <Link to="/customers">Customers</Link> lists those that are added.
        </p>
      )}
    </>
  );
}
