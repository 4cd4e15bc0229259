import { Button, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense, useCallback, useMemo, useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { busy, stepWords, useProgress } from '../../api/live';
import { useMe } from '../../api/session';
import { amounts, count, day, many, money, monthly } from '../../format';
import { Bones, FaultNote, FaultState, Loaded, State } from '../../parts/fault';
import { DataGrid } from '../../parts/grid';
import { ownLicenseColumns } from '../../parts/licenses';
import { oneOf, useFilters } from '../../parts/search';
import { Outward, RunStatus, Status, Steps, Text, Time, triggered } from '../../parts/show';
import { Tabs } from '../../parts/tabs';
import { hasScreen } from '../../screens';
import { ConnectionState } from './index';
import { Tenants } from './tenants';

type Customer = Schemas['Customer'];
const LicenseDrawer = lazy(() => import('../links/drawer'));
const tabs = { licenses: 'Licenses', agreements: 'Agreements', users: 'Users', history: 'History', settings: 'Settings' } as const;
type Tab = keyof typeof tabs;

/** One customer: what it has, what is billed, on which agreements, who holds what. */
export default function CustomerScreen() {
  const { customer } = useParams({ strict: false }) as { customer: string };
  const id = Number(customer);
  const query = useQuery({
    queryKey: ['customers', 'one', id],
    queryFn: () => got(api.GET('/customers/{customer}', { params: { path: { customer: id } } })),
    enabled: Number.isSafeInteger(id),
  });
  if (!Number.isSafeInteger(id)) return <State title="There is no such customer" screen action={<Link to="/customers">All customers</Link>} />;
  return (
    <Loaded query={query} what="The customer">
      {(c) => <Told customer={c} />}
    </Loaded>
  );
}

function Told({ customer: c }: { customer: Customer }) {
  const [search, set] = useFilters();
  const tab = oneOf(search.tab, Object.keys(tabs) as Tab[]) ?? 'licenses';
  const panels: Record<Tab, () => ReactNode> = {
    licenses: () => <Licenses customer={c} />,
    agreements: () => <Agreements customer={c} />,
    users: () => <Users customer={c} />,
    history: () => <Runs customer={c} />,
    settings: () => <Tenants key={c.version} customer={c} />,
  };
  return (
    <>
      <header className="page-head">
        <div>
          <div className="small">
            <Link to="/customers">Customers</Link>
          </div>
          <h1>
            <Outward to={c.url}>
              <Text>{c.name}</Text>
            </Outward>
          </h1>
        </div>
        <SyncNow customer={c} />
      </header>
      <Figures customer={c} />
      <Tabs label="Of this customer" names={tabs} at={tab} onGo={(to) => set({ tab: to })}>
        {panels[tab]()}
      </Tabs>
    </>
  );
}

function SyncNow({ customer: c }: { customer: Customer }) {
  const { may } = useMe();
  const queries = useQueryClient();
  const { data: progress } = useProgress();
  const now = busy(progress) ? progress?.now.find((s) => s.customer?.id === c.id) : undefined;
  const sync = useMutation({
    mutationFn: () => got(api.POST('/sync', { body: { scope: 'customer', customer: c.id } })),
    onSuccess: () => Promise.all([queries.invalidateQueries({ queryKey: ['sync'] }), queries.invalidateQueries({ queryKey: ['customers'] })]),
  });
  const due = c.sync.state === 'due' || now !== undefined || c.sync.state === 'running';
  return (
    <div className="row">
      <span className="quiet" role="status">
        {now ? (
          <>
            {now.step && stepWords[now.step]}
            {now.of ? `, ${now.done ?? 0} of ${now.of}` : ''}
            {now.startedBy && `, ${now.startedBy}`}
          </>
        ) : c.sync.lastAt ? (
          <>
            Synced <Time at={c.sync.lastAt} />
          </>
        ) : (
          'Never synced'
        )}
      </span>
      {may('technician') && (
        <Button onClick={() => sync.mutate()} loading={sync.isPending} disabled={due}>
          {due ? 'Syncing…' : 'Sync now'}
        </Button>
      )}
      {sync.error && <FaultNote error={sync.error} />}
    </div>
  );
}

function Figures({ customer: c }: { customer: Customer }) {
  const trends = useQuery({
    queryKey: ['customers', 'trends', c.id],
    queryFn: () => got(api.GET('/customers/{customer}/trends', { params: { path: { customer: c.id } } })),
    staleTime: 300_000,
    retry: false,
  });
  const points = trends.data?.points ?? [];
  const currency = c.billed[0]?.currency ?? '';
  const line = (label: string, y: (p: Schemas['TrendPoint']) => number, value: (y: number) => string) => (
    <div style={{ width: 170 }}>
      <Steps label={label} points={points.map((p) => ({ month: p.month, y: y(p) }))} value={value} />
    </div>
  );
  return (
    <>
      {c.sync.lastError && (
        <div style={{ padding: '0 20px 12px' }}>
          <div className="note bad">
            <div>
              <Text>{c.sync.lastError}</Text> The numbers are of the last sync that worked.
            </div>
          </div>
        </div>
      )}
      <div className="figures">
        <div>
          <span>Billed per month</span>
          <b>{amounts(c.billed)}</b>
          {line('Billed by month', (p) => Number(p.billed.find((a) => a.currency === currency)?.amount ?? 0), (y) => money(String(y), currency))}
        </div>
        <div>
          <span>
            {count(c.assigned)} assigned of
          </span>
          <b>{many(c.purchased, 'seat')}</b>
          <div style={{ width: 170 }}>
            <Steps label="Purchased" points={points.map((p) => ({ month: p.month, y: p.purchased }))} value={count} beside={{ label: 'Assigned', ys: points.map((p) => p.assigned) }} />
          </div>
        </div>
        <div>
          <span>Unused per month</span>
          <b>{amounts(c.unused)}</b>
          {line('Value of unused seats by month', (p) => Number(p.unused.find((a) => a.currency === currency)?.amount ?? 0), (y) => money(String(y), currency))}
        </div>
        <div>
          <span>Waiting</span>
          <b>
            {c.waiting > 0 && hasScreen('/approvals') ? (
              <Link to="/approvals" search={{ customer: String(c.id) } as never}>
                {many(c.waiting, 'change')}, {monthly(c.pending)}
              </Link>
            ) : (
              many(c.waiting, 'change')
            )}
          </b>
        </div>
        <div>
          <span>Connection</span>
          <div>
            <ConnectionState tenants={c.tenants} />
          </div>
        </div>
      </div>
    </>
  );
}

function Licenses({ customer: c }: { customer: Customer }) {
  const [search, set] = useFilters();
  const licenses = useQuery({
    queryKey: ['licenses', { customer: c.id }],
    queryFn: () => got(api.GET('/licenses', { params: { query: { customer: c.id, limit: 5000 } } })),
  });
  if (licenses.isPending) return <Bones />;
  if (licenses.error) return <FaultState what="The licenses" error={licenses.error} onRetry={() => void licenses.refetch()} />;
  if (licenses.data.items.length === 0) return <State title="No licenses yet">They come with the first sync.</State>;
  return (
    <>
      <DataGrid label="Licenses" rows={licenses.data.items} columns={ownLicenseColumns} id={(l) => l.id} onOpen={(l) => set({ license: l.id })} />
      {search.license && (
        <Suspense>
          <LicenseDrawer license={search.license} tab={search.view} onTab={(view) => set({ view })} onClose={() => set({ license: undefined, view: undefined })} />
        </Suspense>
      )}
    </>
  );
}

function Agreements({ customer: c }: { customer: Customer }) {
  const query = useQuery({
    queryKey: ['customers', 'agreements', c.id],
    queryFn: () => got(api.GET('/customers/{customer}/agreements', { params: { path: { customer: c.id } } })),
  });
  return (
    <div className="inner">
      <Loaded query={query} what="The agreements">
        {(data) =>
          data.items.length === 0 ? (
            <State title="No agreements">ConnectWise has no agreement of this company.</State>
          ) : (
            <table className="lines">
              <thead>
                <tr>
                  <th scope="col">Agreement</th>
                  <th scope="col">Type</th>
                  <th scope="col">Next invoice</th>
                  <th scope="col">Ends</th>
                  <th scope="col">State</th>
                </tr>
              </thead>
              <tbody>
                {data.items.map((a) => (
                  <tr key={a.id}>
                    <td>
                      <Outward to={a.url}>
                        <Text>{a.name}</Text>
                      </Outward>
                      {a.checks
                        .filter((k) => !k.ok)
                        .map((k) => (
                          <div key={k.code} className="small" style={{ color: 'var(--warn)' }}>
                            {k.text} {k.action}
                          </div>
                        ))}
                    </td>
                    <td>
                      <Text>{a.typeName}</Text>
                    </td>
                    <td>{a.nextInvoice ? day(a.nextInvoice) : '—'}</td>
                    <td>{a.end ? day(a.end) : '—'}</td>
                    <td>
                      <Status tone={a.usable ? 'ok' : 'none'}>{a.usable ? 'Can be used' : a.status}</Status>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Loaded>
    </div>
  );
}

function Users({ customer: c }: { customer: Customer }) {
  const [text, setText] = useState('');
  const [q] = useDebouncedValue(text, 250);
  const [on, setOn] = useState('');
  const users = useInfiniteQuery({
    queryKey: ['customers', 'users', c.id, q, on],
    queryFn: ({ pageParam }) =>
      got(api.GET('/customers/{customer}/users', { params: { path: { customer: c.id }, query: { q: q || undefined, day: on || undefined, limit: 200, cursor: pageParam || undefined } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
  });
  const rows = useMemo(() => users.data?.pages.flatMap((p) => p.items) ?? [], [users.data]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = users;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const shown = users.data?.pages[0]?.day;
  return (
    <>
      <div className="filters" style={{ paddingTop: 12 }}>
        <TextInput aria-label="Find a user" placeholder="Name or sign-in name" value={text} onChange={(e) => setText(e.currentTarget.value)} w={230} />
        <TextInput type="date" aria-label="On" value={on || (shown ?? '')} onChange={(e) => setOn(e.currentTarget.value)} />
      </div>
      {users.isPending ? (
        <Bones />
      ) : users.error && rows.length === 0 ? (
        <FaultState what="The users" error={users.error} onRetry={() => void users.refetch()} />
      ) : rows.length === 0 ? (
        <State title="No users">{q ? 'Nobody is named like that.' : 'Nobody held a license on that day.'}</State>
      ) : (
        <DataGrid
          label="Users"
          rows={rows}
          id={(u) => u.id}
          onEnd={more}
          columns={[
            {
              id: 'name',
              title: 'User',
              width: 190,
              share: 2,
              cell: (u) => (
                <>
                  <div className="name">
                    <Text>{u.name}</Text>
                  </div>
                  <div className="second">
                    <Text>{u.upn}</Text>
                  </div>
                </>
              ),
            },
            {
              id: 'licenses',
              title: 'Licenses',
              width: 200,
              share: 3,
              cell: (u) => <div title={u.licenses.map((l) => l.name).join(', ')}>{u.licenses.length ? <Text>{u.licenses.map((l) => l.name).join(', ')}</Text> : '—'}</div>,
            },
            { id: 'enabled', title: 'Sign-in', width: 110, from: 'narrow', cell: (u) => <Status tone={u.enabled ? 'ok' : 'none'}>{u.enabled ? 'Allowed' : 'Blocked'}</Status> },
          ]}
        />
      )}
    </>
  );
}

function Runs({ customer: c }: { customer: Customer }) {
  const navigate = useNavigate();
  const runs = useQuery({
    queryKey: ['runs', { customer: c.id }],
    queryFn: () => got(api.GET('/runs', { params: { query: { customer: c.id, limit: 200 } } })),
  });
  if (runs.isPending) return <Bones />;
  if (runs.error) return <FaultState what="The history" error={runs.error} onRetry={() => void runs.refetch()} />;
  if (runs.data.items.length === 0) return <State title="Nothing was synced yet" />;
  return (
    <DataGrid
      label="Syncs"
      rows={runs.data.items}
      id={(r) => r.id}
      onOpen={(r) => void navigate({ to: '/history/$run', params: { run: r.id } as never })}
      columns={[
        { id: 'when', title: 'When', width: 120, share: 1, cell: (r) => <Time at={r.startedAt} /> },
        { id: 'by', title: 'By', width: 140, share: 1, from: 'narrow', cell: (r) => <Text>{triggered(r)}</Text> },
        { id: 'written', title: 'Written', width: 80, numeric: true, cell: (r) => r.written || '—' },
        { id: 'held', title: 'Held', width: 70, numeric: true, from: 'medium', cell: (r) => r.held || '—' },
        { id: 'money', title: 'Per month', width: 110, numeric: true, cell: (r) => monthly(r.money) },
        { id: 'result', title: 'Result', width: 92, from: 'narrow', cell: (r) => <RunStatus status={r.status} /> },
      ]}
    />
  );
}
