import './history.css';
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { api, got, type Schemas } from '../../api/client';
import { useMe } from '../../api/session';
import { many, monthly, sums, took } from '../../format';
import { FaultNote, Loaded } from '../../parts/fault';
import { Changes } from '../../parts/plan';
import { RunStatus, Text, Time, triggered } from '../../parts/show';

type Run = Schemas['Run'];

/** Changes that failed for one cause stand together. */
export function causes(changes: Schemas['Change'][]): { cause: string; changes: Schemas['Change'][] }[] {
  const by = new Map<string, Schemas['Change'][]>();
  for (const c of changes.filter((one) => one.state === 'failed')) {
    const cause = c.error ?? c.reason;
    by.set(cause, [...(by.get(cause) ?? []), c]);
  }
  return [...by].map(([cause, of]) => ({ cause, changes: of }));
}

/** One sync: when and by whom, what it changed and who approved it, what it read. */
export default function RunScreen() {
  const { run } = useParams({ strict: false }) as { run: string };
  const query = useQuery({
    queryKey: ['run', run],
    queryFn: () => got(api.GET('/runs/{run}', { params: { path: { run } } })),
    refetchInterval: (q) => (q.state.data?.status === 'running' ? 2_000 : false),
  });
  return (
    <div className="page run">
      <p>
        <Link to="/history">Sync history</Link>
      </p>
      <Loaded query={query} what="The sync">
        {(r) => <Told run={r} />}
      </Loaded>
    </div>
  );
}

function Told({ run: r }: { run: Run }) {
  const { may } = useMe();
  const queries = useQueryClient();
  const again = useMutation({
    mutationFn: () => got(api.POST('/sync', { body: { scope: 'customer', customer: r.customer.id } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['sync'] }),
  });
  const written = r.changes.filter((c) => c.state === 'written');
  const held = r.changes.filter((c) => c.state === 'held' || c.state === 'planned');
  const failed = causes(r.changes);
  const money = monthly(sums(written.map((c) => c.money)));
  return (
    <>
      <header className="page-head">
        <h1>
          <Text>{r.customer.name}</Text>
        </h1>
        <div className="row">
          <RunStatus status={r.status} />
          {may('technician') && (
            <Button onClick={() => again.mutate()} loading={again.isPending} disabled={again.isSuccess}>
              {again.isSuccess ? 'Synced next' : failed.length || r.status === 'failed' ? 'Try again' : 'Sync now'}
            </Button>
          )}
        </div>
      </header>
      {again.error && <FaultNote error={again.error} />}
      {r.error && (
        <div className="note bad" role="alert">
          <div>
            <Text>{r.error.message}</Text> <Text>{r.error.action}</Text>
            <div className="small">{r.error.code}</div>
          </div>
        </div>
      )}
      <dl className="facts" style={{ marginTop: 16 }}>
        <dt>Started</dt>
        <dd>
          <Time at={r.startedAt} full />
        </dd>
        {r.finishedAt && (
          <>
            <dt>Took</dt>
            <dd>{took(r.startedAt, r.finishedAt)}</dd>
          </>
        )}
        <dt>By</dt>
        <dd>
          <Text>{triggered(r)}</Text>
        </dd>
        <dt>Written</dt>
        <dd>
          {many(written.length, 'change')}
          {money !== '—' && `, ${money} per month`}
        </dd>
      </dl>
      {failed.map((f) => (
        <section key={f.cause}>
          <h2>{many(f.changes.length, 'change')} failed</h2>
          <div className="note bad">
            <div>
              <Text>{f.cause}</Text>
            </div>
          </div>
          <Changes changes={f.changes} />
        </section>
      ))}
      {written.length > 0 && (
        <section>
          <h2>Written</h2>
          <ByLicense run={r} changes={written} />
        </section>
      )}
      {held.length > 0 && (
        <section>
          <h2>Waiting for a person</h2>
          <ByLicense run={r} changes={held} />
        </section>
      )}
      <Evidence run={r.id} />
    </>
  );
}

function ByLicense({ run, changes }: { run: Run; changes: Schemas['Change'][] }) {
  const groups = [...new Set(changes.map((c) => c.link))];
  return (
    <div className="stack loose">
      {groups.map((link) => {
        const of = changes.filter((c) => c.link === link);
        return (
          <div key={link}>
            <h3>
              <Text>{of[0]?.license}</Text>
              {of[0]?.agreement && (
                <span className="quiet" style={{ fontWeight: 400 }}>
                  {' '}
                  on <Text>{of[0].agreement.name}</Text>
                </span>
              )}
            </h3>
            <Changes
              changes={of}
              approver={(c) => {
                const who = run.approvedBy?.[c.group ?? ''];
                return who && <>Approved by {who}</>;
              }}
            />
          </div>
        );
      })}
    </div>
  );
}

function Evidence({ run }: { run: string }) {
  const query = useQuery({ queryKey: ['evidence', run], queryFn: () => got(api.GET('/runs/{run}/evidence', { params: { path: { run } } })) });
  return (
    <section>
      <h2>What Microsoft answered</h2>
      <Loaded query={query} what="What Microsoft answered" rows={3}>
        {(e) => (
          <div className="stack loose">
            {e.tenants.length === 0 && <p className="quiet">Nothing was read.</p>}
            {e.tenants.map((t) => (
              <div key={t.tenant}>
                <h3>
                  <Text>{t.organization || t.tenant}</Text>
                  <span className="quiet" style={{ fontWeight: 400 }}>
                    , read <Time at={t.readAt} full />
                  </span>
                </h3>
                {t.fault && (
                  <div className="note bad">
                    <div>
                      {t.fault.message} {t.fault.action}
                    </div>
                  </div>
                )}
                <table className="lines">
                  <thead>
                    <tr>
                      <th scope="col">License</th>
                      <th scope="col" className="num">
                        Purchased
                      </th>
                      <th scope="col" className="num">
                        Assigned
                      </th>
                      <th scope="col" className="num">
                        In grace
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {t.skus.map((s) => (
                      <tr key={s.sku}>
                        <td>
                          <Text>{s.name || s.partNumber}</Text>
                        </td>
                        <td className="num">{s.enabled}</td>
                        <td className="num">{s.consumed}</td>
                        <td className="num">{s.warning || '—'}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            ))}
          </div>
        )}
      </Loaded>
    </section>
  );
}
