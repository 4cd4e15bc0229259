import { useState } from 'react';
import { monthly, when } from '../format';
import { Lines } from './detail';
import type { Run, Schemas } from './model';
import type { Pod } from './pod';
import { told } from './rows';
import { Button, FaultNote, Note, Text, Time, useAsked, useDo, zone } from './show';

const triggers: Record<Run['trigger'], string> = { onDemand: 'On demand', approval: 'Approval', callback: 'Change in ConnectWise', nightly: 'Nightly' };
const results: Record<Run['status'], [tone: string, word: string]> = {
  running: ['change', 'Running'],
  done: ['ok', 'Done'],
  held: ['held', 'Held'],
  failed: ['bad', 'Failed'],
  stopped: ['none', 'Stopped'],
};

/** Past syncs of the record: the newest with the view, older ones when asked. */
export function History({ pod, first }: { pod: Pod; first: Run[] }) {
  const [all, setAll] = useState<{ runs: Run[]; next?: string }>();
  const [open, setOpen] = useState<string>();
  const { busy, fault, run } = useDo();
  const more = () =>
    run(async () => {
      const page = await pod.ask<Schemas['RunPage']>('GET', `/embed/runs?limit=20${all?.next ? `&cursor=${encodeURIComponent(all.next)}` : ''}`);
      setAll({ runs: [...(all?.runs ?? []), ...page.items], next: page.next });
    });
  const runs = all?.runs ?? first;
  if (runs.length === 0) return <p className="empty quiet">Nothing was synced yet.</p>;
  return (
    <>
      <table className="grid history">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col" className="c-billed">
              By
            </th>
            <th scope="col" className="num">
              Changes
            </th>
            <th scope="col" className="num">
              Per month
            </th>
            <th scope="col">Result</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((r) => (
            <Row key={r.id} pod={pod} run={r} opened={open === r.id} onOpen={() => setOpen(open === r.id ? undefined : r.id)} />
          ))}
        </tbody>
      </table>
      <FaultNote fault={fault} />
      {(all ? all.next : first.length >= 5) && (
        <p className="more">
          <Button disabled={busy} onClick={() => void more()}>
            Show more
          </Button>
        </p>
      )}
    </>
  );
}

function Row({ pod, run: r, opened, onOpen }: { pod: Pod; run: Run; opened: boolean; onOpen: () => void }) {
  const [tone, word] = results[r.status];
  return (
    <>
      <tr className={opened ? 'opened' : ''}>
        <td className="c-name">
          <button type="button" className="disclose" aria-expanded={opened} onClick={onOpen} aria-label={`Sync ${when(r.startedAt, zone)}`}>
            <i className="chevron" aria-hidden="true" />
            <span>
              <Time at={r.startedAt} />
              <span className="second only-narrow">{r.by ?? triggers[r.trigger]}</span>
            </span>
          </button>
        </td>
        <td className="c-billed">
          {triggers[r.trigger]}
          {r.by && (
            <span className="second">
              <Text>{r.by}</Text>
            </span>
          )}
        </td>
        <td className="num">
          {r.written}
          {r.held > 0 && <span className="quiet"> + {r.held} held</span>}
        </td>
        <td className="num">{monthly(r.money)}</td>
        <td>
          <i className={`dot ${tone}`} />
          {word}
        </td>
      </tr>
      {opened && (
        <tr className="detail">
          <td colSpan={5}>
            <Changes pod={pod} run={r} />
          </td>
        </tr>
      )}
    </>
  );
}

function Changes({ pod, run }: { pod: Pod; run: Run }) {
  const { data, fault } = useAsked<Schemas['Run']>(pod, `/embed/runs/${run.id}`);
  const by = new Map<string, Schemas['Change'][]>();
  for (const c of data?.changes.filter(told) ?? []) by.set(c.group, [...(by.get(c.group) ?? []), c]);
  return (
    <div className="inner">
      <FaultNote fault={fault} />
      {run.error && (
        <Note kind="bad">
          <Text>{run.error.message}</Text> {run.error.action}
        </Note>
      )}
      {data && by.size === 0 && <p className="quiet">Nothing changed.</p>}
      {[...by].map(([group, changes]) => (
        <section key={group}>
          <h2>
            <Text>{changes[0]?.license}</Text>{' '}
            <span className="quiet">
              {changes[0]?.state}
              {data?.approvedBy?.[group] && `, approved by ${data.approvedBy[group]}`}
            </span>
          </h2>
          <Lines changes={changes} />
        </section>
      ))}
    </div>
  );
}
