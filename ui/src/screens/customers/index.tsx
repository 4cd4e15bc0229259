import { Button, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { useMe } from '../../api/session';
import { amounts, count, many, monthly } from '../../format';
import { Bones, FaultState, State } from '../../parts/fault';
import { type Column, DataGrid } from '../../parts/grid';
import { oneOf, useFilters, whole, type Search } from '../../parts/search';
import { Status, Text, Time } from '../../parts/show';

type Customer = Schemas['Customer'];
const Add = lazy(() => import('./add'));
const states = ['ok', 'waiting', 'attention', 'failing', 'syncing'] as const;
const sorts = ['name', 'waiting', 'unused', 'billed', 'synced'] as const;

const asked = (search: Search) => ({
  q: search.q || undefined,
  state: oneOf(search.state, states),
  connection: whole(search.connection),
  sort: oneOf(search.sort, sorts),
});

/** Whether what reads a customer's tenants works, in a dot and a word. */
export function ConnectionState({ tenants }: { tenants: Schemas['CustomerTenant'][] }) {
  const broken = tenants.find((t) => t.health?.state === 'broken');
  if (broken) return <span title={broken.health?.text}><Status tone="bad">Broken</Status></span>;
  if (tenants.length === 0) return <Status tone="warn">No tenant</Status>;
  return tenants.every((t) => t.health?.state === 'healthy') ? <Status tone="ok">Works</Status> : <Status tone="none">Not read yet</Status>;
}

const columns: Column<Customer>[] = [
  {
    id: 'name',
    title: 'Customer',
    width: 170,
    share: 3,
    sort: 'name',
    cell: (c) => (
      <>
        <div className="name">
          <Text>{c.name}</Text>
        </div>
        <div className="second">
          <Text>{c.tenants.map((t) => t.domain ?? t.tenant).join(', ') || 'No tenant'}</Text>
        </div>
      </>
    ),
  },
  { id: 'connection', title: 'Connection', width: 110, from: 'medium', cell: (c) => <ConnectionState tenants={c.tenants} /> },
  {
    id: 'licenses',
    title: 'Licenses',
    width: 110,
    numeric: true,
    from: 'medium',
    cell: (c) => (
      <>
        <div>{count(c.licenses)}</div>
        {c.unlinked > 0 && <div className="second">{count(c.unlinked)} not linked</div>}
      </>
    ),
  },
  { id: 'billed', title: 'Billed per month', width: 116, numeric: true, sort: 'billed', cell: (c) => amounts(c.billed) },
  { id: 'unused', title: 'Unused per month', width: 120, numeric: true, from: 'wide', sort: 'unused', cell: (c) => amounts(c.unused) },
  {
    id: 'waiting',
    title: 'Waiting',
    width: 104,
    numeric: true,
    from: 'narrow',
    sort: 'waiting',
    cell: (c) =>
      c.waiting > 0 ? (
        <>
          <div>{many(c.waiting, 'change')}</div>
          <div className="second">{monthly(c.pending)}</div>
        </>
      ) : (
        '—'
      ),
  },
  {
    id: 'synced',
    title: 'Last sync',
    width: 120,
    from: 'wide',
    sort: 'synced',
    cell: (c) => (c.sync.state === 'running' ? <Status tone="change">Syncing</Status> : c.sync.lastAt ? <Time at={c.sync.lastAt} /> : '—'),
  },
];

/** The customers: companies with their tenants, and how each of them stands. */
export default function CustomersScreen() {
  const { may } = useMe();
  const navigate = useNavigate();
  const [search, set] = useFilters();
  const query = useMemo(() => asked(search), [search]);
  const customers = useInfiniteQuery({
    queryKey: ['customers', query],
    queryFn: ({ pageParam, signal }) => got(api.GET('/customers', { params: { query: { ...query, limit: 500, cursor: pageParam || undefined } }, signal })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  });
  const rows = useMemo(() => customers.data?.pages.flatMap((p) => p.items) ?? [], [customers.data]);
  const total = customers.data?.pages[0]?.total ?? 0;
  const typed = useDebouncedCallback((q: string) => set({ q: q || undefined }), 250);
  const [adding, setAdding] = useState(false);
  const filtered = Boolean(query.q ?? query.state ?? query.connection);
  const clear = () => set({ q: undefined, state: undefined, connection: undefined });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = customers;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const add = may('technician') && <Button onClick={() => setAdding(true)}>Match customers</Button>;

  return (
    <>
      <header className="page-head">
        <h1>Customers</h1>
        <div className="row">{add}</div>
      </header>
      <search className="filters">
        <TextInput key={search.q === undefined ? 'empty' : 'typed'} data-filter aria-label="Customer" placeholder="Customer" defaultValue={search.q ?? ''} onChange={(e) => typed(e.currentTarget.value)} w={230} />
        <Select
          aria-label="State"
          placeholder="Any state"
          clearable
          data={[
            { value: 'waiting', label: 'Changes waiting' },
            { value: 'attention', label: 'Needs attention' },
            { value: 'failing', label: 'Failing' },
            { value: 'syncing', label: 'Syncing' },
            { value: 'ok', label: 'In sync' },
          ]}
          value={query.state ?? null}
          onChange={(v) => set({ state: v ?? undefined })}
          w={170}
        />
        {filtered && <Button onClick={clear}>Clear filters</Button>}
        <span className="grow" />
        <span className="quiet" role="status">
          {customers.data && many(total, 'customer')}
        </span>
      </search>
      {customers.isPending ? (
        <Bones rows={12} />
      ) : customers.error && rows.length === 0 ? (
        <FaultState what="The customers" error={customers.error} onRetry={() => void customers.refetch()} />
      ) : rows.length === 0 ? (
        filtered ? (
          <State title="No customer is like that" action={<Button onClick={clear}>Clear filters</Button>}>
            No customer fits these filters.
          </State>
        ) : (
          <State title="No customers yet" action={add}>
            Match your ConnectWise companies with Microsoft tenants.
          </State>
        )
      ) : (
        <DataGrid
          label="Customers"
          rows={rows}
          total={total}
          columns={columns}
          id={(c) => String(c.id)}
          sort={query.sort ?? 'name'}
          onSort={(sort) => set({ sort: sort === query.sort ? undefined : sort })}
          onOpen={(c) => void navigate({ to: '/customers/$customer', params: { customer: String(c.id) } as never })}
          onEnd={more}
        />
      )}
      {adding && (
        <Suspense>
          <Add onClose={() => setAdding(false)} />
        </Suspense>
      )}
    </>
  );
}
