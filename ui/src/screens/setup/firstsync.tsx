import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, got, match, type Schemas } from '../../api/client';
import { busy, useProgress } from '../../api/live';
import { settingsQuery } from '../../api/session';
import { count, many, monthly, sums } from '../../format';
import { FaultNote, Loaded } from '../../parts/fault';
import { RunStatus, Text } from '../../parts/show';
import { grouped, type StepProps, stateOf, useEnded, useMoved } from './data';
import { Frame } from './frame';
import { Reading } from './reading';

type Plan = Schemas['Plan'];

/** Step 7: what would change, then the sync that writes it. */
export default function FirstSync({ setup }: StepProps) {
  const { data: progress, isFetchedAfterMount: known } = useProgress();
  const settings = useQuery(settingsQuery);
  const works = busy(progress);
  useEnded(works, 'approvals', 'runs');
  const observes = settings.data?.settings.mode === 'observe';
  const done = stateOf(setup, 'firstSync') === 'done' && !observes;
  const plans = useQuery({
    queryKey: ['approvals', 'setup'],
    queryFn: () => got(api.GET('/approvals', { params: { query: { limit: 500 } } })),
    enabled: known && !works,
    staleTime: 0,
  });
  return (
    <Frame
      title="First sync"
      why="Trueup shows what it would change, and writes nothing to ConnectWise until you say so."
      side={plans.data && !works && plans.data.items.length > 0 && <ByCustomer plans={plans.data.items} />}
    >
      {works && progress ? (
        <Reading progress={progress} what={observes ? 'Working out what would change' : 'Writing to ConnectWise'} />
      ) : (
        <Loaded query={plans} what="What would change" rows={4}>
          {(page) => (done ? <Written waiting={page.totals} /> : settings.data ? <DryRun page={page} observes={observes} /> : null)}
        </Loaded>
      )}
    </Frame>
  );
}

function ByCustomer({ plans }: { plans: Plan[] }) {
  const rows = [...grouped(plans, (p) => p.customer.id)].map(([id, of]) => ({ id, name: of[0]?.customer.name, of, money: sums(of.map((p) => p.money)) }));
  return (
    <div className="stack tight">
      <h3>By customer</h3>
      <table className="lines small">
        <tbody>
          {rows.slice(0, 20).map((r) => (
            <tr key={r.id}>
              <td>
                <Text>{r.name}</Text>
                <div className="quiet">{many(r.of.length, 'change')}</div>
              </td>
              <td className="num">{monthly(r.money)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > 20 && <p className="small quiet">And {count(rows.length - 20)} more.</p>}
    </div>
  );
}

/** The plans, and the one step that makes the workspace live. Those that want an answer go on waiting. */
function DryRun({ page, observes }: { page: Schemas['PlanPage']; observes: boolean }) {
  const queries = useQueryClient();
  const moved = useMoved();
  const [leave, setLeave] = useState(false);
  const { totals } = page;
  const ready = totals.plans - totals.odd;
  const write = useMutation({
    mutationFn: async () => {
      if (observes) {
        const now = await got(api.GET('/workspace/settings')); // as they are: other steps change them too
        await got(api.PUT('/workspace/settings', { params: { header: match(now.version) }, body: { ...now.settings, mode: 'live' } }));
      } else await got(api.POST('/sync', { body: { scope: 'all' } }));
    },
    // How far the work is comes first: what is live and not at work looks done.
    onSettled: async () => {
      await queries.invalidateQueries({ queryKey: ['sync'] });
      await moved('settings', 'approvals', 'customers', 'runs');
    },
  });
  return (
    <div className="stack loose">
      <div className="stack tight" role="status">
        <p className="verdict">
          {totals.plans === 0 ? (
            'Nothing would change: every license is billed as it should be.'
          ) : (
            <>
              Here is what would change: {many(totals.customers, 'customer')}, <b>{monthly(totals.money)} per month</b>.
            </>
          )}
        </p>
        <p className="quiet">Nothing has been written.</p>
      </div>
      {totals.odd > 0 && (
        <div className="note warn">
          <div>
            {many(totals.odd, 'change')} want{totals.odd === 1 ? 's' : ''} a look of its own, such as a line that stands there already. {totals.odd === 1 ? 'It waits' : 'They wait'} under Approvals and{' '}
            {totals.odd === 1 ? 'is' : 'are'} not written by this.
          </div>
        </div>
      )}
      {write.error && <FaultNote error={write.error} />}
      <div className="row wrap">
        <Button variant="filled" loading={write.isPending} onClick={() => write.mutate()}>
          {ready > 0 ? `Write ${ready === 1 ? 'this change' : `these ${count(ready)} changes`}` : observes ? 'Go live' : 'Sync all now'}
        </Button>
        {totals.plans > 0 && (
          <Link to="/approvals">
            <span className="small">Look at them under Approvals</span>
          </Link>
        )}
      </div>
      <p className="small quiet">
        From then on Trueup syncs every night and after changes in ConnectWise.{' '}
        {observes && (
          <button type="button" className="linklike" onClick={() => setLeave(!leave)}>
            Not yet?
          </button>
        )}
      </p>
      {leave && <p className="small quiet">Leave it as it is: Trueup goes on to read and to plan, and writes nothing. Come back here when the plans are right.</p>}
    </div>
  );
}

/** What the first syncs wrote. */
function Written({ waiting }: { waiting: Schemas['PlanTotals'] }) {
  const runs = useQuery({ queryKey: ['runs', 'setup'], queryFn: () => got(api.GET('/runs', { params: { query: { changed: true, limit: 100 } } })) });
  return (
    <Loaded query={runs} what="What was written" rows={4}>
      {({ items }) => {
        const wrote = items.filter((r) => r.written > 0);
        const lines = wrote.reduce((sum, r) => sum + r.written, 0);
        return (
          <div className="stack loose">
            <div className="note ok" role="status">
              <div>
                <b>{lines > 0 ? `${many(lines, 'change')} written for ${many(new Set(wrote.map((r) => r.customer.id)).size, 'customer')}.` : 'The customers are in sync.'}</b>{' '}
                {lines > 0 && `${monthly(sums(wrote.flatMap((r) => r.money)))} per month. `}Set-up is done.
              </div>
            </div>
            {waiting.plans > 0 && (
              <p>
                {many(waiting.plans, 'change')} wait{waiting.plans === 1 ? 's' : ''} for a person. <Link to="/approvals">Review {waiting.plans === 1 ? 'it' : 'them'}</Link>
              </p>
            )}
            {wrote.length > 0 && (
              <table className="lines">
                <thead>
                  <tr>
                    <th scope="col">Customer</th>
                    <th scope="col" className="num">
                      Written
                    </th>
                    <th scope="col" className="num">
                      Per month
                    </th>
                    <th scope="col">Result</th>
                  </tr>
                </thead>
                <tbody>
                  {wrote.slice(0, 30).map((r) => (
                    <tr key={r.id}>
                      <td>
                        <Link to="/history/$run" params={{ run: String(r.id) } as never}>
                          <Text>{r.customer.name}</Text>
                        </Link>
                      </td>
                      <td className="num">{count(r.written)}</td>
                      <td className="num">{monthly(r.money)}</td>
                      <td>
                        <RunStatus status={r.status} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
            <div className="row">
              <Link to="/">Go to the overview</Link>
              <Link to="/history">See all syncs</Link>
            </div>
          </div>
        );
      }}
    </Loaded>
  );
}
