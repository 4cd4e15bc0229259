import './history.css';
import { Button, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { useMe } from '../../api/session';
import { count, monthly, took } from '../../format';
import { Bones, FaultNote, FaultState, State } from '../../parts/fault';
import { type Column, DataGrid } from '../../parts/grid';
import { oneOf, stringifySearch, useFilters, whole, type Search } from '../../parts/search';
import { RunStatus, Text, Time, triggers } from '../../parts/show';
import { Live, useSyncAll } from './live';

type Run = Schemas['RunSummary'];
const statuses = ['running', 'done', 'held', 'failed', 'stopped'] as const;
const kinds = ['onDemand', 'approval', 'callback', 'nightly'] as const;

export function asked(search: Search) {
  const status = oneOf(search.status, statuses);
  const trigger = oneOf(search.trigger, kinds);
  return {
    customer: whole(search.customer),
    company: whole(search.company),
    link: /^[a-z2-7]{10}$/.test(search.link ?? '') ? search.link : undefined,
    who: search.who || undefined,
    status: status && [status],
    trigger: trigger && [trigger],
    changed: search.changed === 'true' ? true : undefined,
  };
}

const columns: Column<Run>[] = [
  {
    id: 'customer',
    title: 'Customer',
    width: 150,
    share: 3,
    cell: (r) => (
      <>
        <div className="name">
          <Text>{r.customer.name}</Text>
        </div>
        <div className={r.error ? 'second' : 'second instead'}>{r.error ? <Text>{r.error.message}</Text> : <Time at={r.startedAt} />}</div>
      </>
    ),
  },
  { id: 'when', title: 'When', width: 104, from: 'wide', cell: (r) => <Time at={r.startedAt} /> },
  {
    id: 'by',
    title: 'By',
    width: 110,
    share: 1,
    from: 'medium',
    cell: (r) => (
      <>
        <div>{triggers[r.trigger]}</div>
        {r.by && (
          <div className="second">
            <Text>{r.by}</Text>
          </div>
        )}
      </>
    ),
  },
  {
    id: 'changes',
    title: 'Changes',
    width: 130,
    from: 'medium',
    cell: (r) => {
      const parts = [r.written && `${count(r.written)} written`, r.held && `${count(r.held)} held`, r.failed && `${count(r.failed)} failed`].filter(Boolean);
      return <div className={parts.length ? undefined : 'quiet'}>{parts.join(', ') || '—'}</div>;
    },
  },
  { id: 'money', title: 'Per month', width: 110, numeric: true, cell: (r) => monthly(r.money) },
  { id: 'took', title: 'Took', width: 64, numeric: true, from: 'wide', cell: (r) => (r.finishedAt ? took(r.startedAt, r.finishedAt) : '—') },
  { id: 'result', title: 'Result', width: 92, from: 'narrow', cell: (r) => <RunStatus status={r.status} /> },
];

/** What was synced when, by whom, with what result; what runs now is on top. */
export default function HistoryScreen() {
  const { may } = useMe();
  const navigate = useNavigate();
  const [search, set] = useFilters();
  const query = useMemo(() => asked(search), [search]);
  const runs = useInfiniteQuery({
    queryKey: ['runs', query],
    queryFn: ({ pageParam, signal }) => got(api.GET('/runs', { params: { query: { ...query, limit: 100, cursor: pageParam || undefined } }, signal })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  });
  const rows = useMemo(() => runs.data?.pages.flatMap((p) => p.items) ?? [], [runs.data]);
  const sync = useSyncAll();
  const typed = useDebouncedCallback((who: string) => set({ who: who || undefined }), 250);
  const filtered = Object.values(query).some((v) => v !== undefined);
  const clear = () => set({ customer: undefined, company: undefined, link: undefined, who: undefined, status: undefined, trigger: undefined, changed: undefined });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = runs;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  return (
    <>
      <header className="page-head">
        <h1>Sync history</h1>
        <div className="row">
          <Button component="a" href={`/api/v1/runs/export${stringifySearch({ ...query, status: query.status?.[0], trigger: query.trigger?.[0] })}`} download>
            Export CSV
          </Button>
          {may('technician') && (
            <Button onClick={() => sync.mutate()} loading={sync.isPending}>
              Sync all now
            </Button>
          )}
        </div>
      </header>
      {sync.error && (
        <div className="filters">
          <FaultNote error={sync.error} />
        </div>
      )}
      <Live />
      <search className="filters">
        <TextInput key={search.who === undefined ? 'empty' : 'typed'} data-filter aria-label="Who asked for it" placeholder="Who asked for it" defaultValue={search.who ?? ''} onChange={(e) => typed(e.currentTarget.value)} w={180} />
        <Select
          aria-label="Result"
          placeholder="Any result"
          clearable
          data={[
            { value: 'done', label: 'Done' },
            { value: 'held', label: 'Held' },
            { value: 'failed', label: 'Failed' },
            { value: 'stopped', label: 'Stopped' },
            { value: 'running', label: 'Running' },
          ]}
          value={query.status?.[0] ?? null}
          onChange={(v) => set({ status: v ?? undefined })}
          w={130}
        />
        <Select
          aria-label="What made it"
          placeholder="Any trigger"
          clearable
          data={kinds.map((value) => ({ value, label: triggers[value] }))}
          value={query.trigger?.[0] ?? null}
          onChange={(v) => set({ trigger: v ?? undefined })}
          w={180}
        />
        <Button aria-pressed={query.changed ?? false} variant={query.changed ? 'light' : 'default'} onClick={() => set({ changed: query.changed ? undefined : 'true' })}>
          Only with changes
        </Button>
        {filtered && <Button onClick={clear}>Clear filters</Button>}
      </search>
      {runs.isPending ? (
        <Bones rows={12} />
      ) : runs.error && rows.length === 0 ? (
        <FaultState what="The history" error={runs.error} onRetry={() => void runs.refetch()} />
      ) : rows.length === 0 ? (
        filtered ? (
          <State title="No sync is like that" action={<Button onClick={clear}>Clear filters</Button>}>
            No sync fits these filters.
          </State>
        ) : (
          <State title="Nothing was synced yet">Customers are synced every night, when you ask for it, and after changes in ConnectWise.</State>
        )
      ) : (
        <DataGrid label="Syncs" rows={rows} columns={columns} id={(r) => r.id} onOpen={(r) => void navigate({ to: '/history/$run', params: { run: r.id } as never })} onEnd={more} />
      )}
    </>
  );
}
