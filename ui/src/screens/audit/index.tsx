import './audit.css';
import { Button, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { useZone } from '../../api/session';
import { Bones, FaultNote, FaultState, State } from '../../parts/fault';
import { type Column, DataGrid } from '../../parts/grid';
import { type Search, stringifySearch, useFilters, whole } from '../../parts/search';
import { Text, Time } from '../../parts/show';
import { beginOf, dayIn } from './days';
import { actionChoice, changes, fieldName, words } from './words';

type Entry = Schemas['AuditEntry'];
const filters = ['q', 'who', 'what', 'customer', 'from', 'to'] as const;

/** The filters of the address as the server takes them: days of the workspace's zone. */
export function asked(search: Search, zone: string) {
  const from = dayIn(search.from);
  const to = dayIn(search.to);
  return {
    q: search.q || undefined,
    who: search.who || undefined,
    what: /^[a-z][a-z0-9_]{0,60}$/.test(search.what ?? '') ? search.what : undefined,
    customer: whole(search.customer),
    since: from && beginOf(from, zone),
    until: to && beginOf(to, zone, 1),
  };
}

const kinds: Record<Entry['kind'], string> = { user: '', token: 'API token', member: 'in ConnectWise', service: '' };

/** Who did what, when and from where, with what was before and is after. */
export default function AuditScreen() {
  const zone = useZone();
  const [search, set] = useFilters();
  const [open, setOpen] = useState<number>();
  const query = useMemo(() => asked(search, zone), [search, zone]);
  const audit = useInfiniteQuery({
    queryKey: ['audit', query],
    queryFn: ({ pageParam, signal }) => got(api.GET('/audit', { params: { query: { ...query, limit: 100, cursor: pageParam || undefined } }, signal })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  });
  const rows = useMemo(() => audit.data?.pages.flatMap((p) => p.items) ?? [], [audit.data]);
  const filtered = filters.some((f) => search[f] !== undefined);
  const clear = () => set(Object.fromEntries(filters.map((f) => [f, undefined])));
  const typed = useDebouncedCallback((change: Record<string, string | undefined>) => set(change), 250);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = audit;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const toggle = useCallback((e: Entry) => setOpen((is) => (is === e.id ? undefined : e.id)), []);
  const columns = useMemo(() => columnsOf(open, toggle), [open, toggle]);
  const shown = String(filtered);
  return (
    <>
      <header className="page-head">
        <h1>Audit log</h1>
        <Button component="a" href={`/api/v1/audit/export${stringifySearch(query)}`} download>
          Export CSV
        </Button>
      </header>
      <search className="filters">
        <TextInput key={`q${shown}`} data-filter aria-label="What, or to what" placeholder="What, or to what" defaultValue={search.q ?? ''} onChange={(e) => typed({ q: e.currentTarget.value || undefined })} w={180} />
        <TextInput key={`who${shown}`} aria-label="Who" placeholder="Who" defaultValue={search.who ?? ''} onChange={(e) => typed({ who: e.currentTarget.value || undefined })} w={140} />
        <Select aria-label="Kind" placeholder="Anything" clearable searchable data={actionChoice(query.what)} value={query.what ?? null} onChange={(v) => set({ what: v ?? undefined })} w={190} />
        <TextInput type="date" aria-label="From" title="From this day" value={dayIn(search.from) ?? ''} onChange={(e) => set({ from: e.currentTarget.value || undefined })} />
        <TextInput type="date" aria-label="To" title="Through this day" value={dayIn(search.to) ?? ''} onChange={(e) => set({ to: e.currentTarget.value || undefined })} />
        {query.customer !== undefined && <span className="chip">One customer</span>}
        {filtered && <Button onClick={clear}>Clear filters</Button>}
      </search>
      {audit.error && rows.length > 0 && (
        <div className="filters">
          <FaultNote error={audit.error} onRetry={() => void audit.fetchNextPage()} />
        </div>
      )}
      {audit.isPending ? (
        <Bones rows={12} />
      ) : audit.error && rows.length === 0 ? (
        <FaultState what="The audit log" error={audit.error} onRetry={() => void audit.refetch()} />
      ) : rows.length === 0 ? (
        filtered ? (
          <State title="Nothing is like that" action={<Button onClick={clear}>Clear filters</Button>}>
            Nothing that was done fits these filters.
          </State>
        ) : (
          <State title="Nothing was done yet">Everything that people and programs change will be here.</State>
        )
      ) : (
        <DataGrid label="What was done" rows={rows} columns={columns} id={(e) => String(e.id)} onOpen={toggle} onEnd={more} detail={(e) => (e.id === open ? <Told entry={e} /> : undefined)} />
      )}
    </>
  );
}

const columnsOf = (open: number | undefined, toggle: (e: Entry) => void): Column<Entry>[] => [
  {
    id: 'what',
    title: 'What',
    width: 200,
    share: 4,
    cell: (e) => (
      <>
        <div>
          <button type="button" className="plain" aria-expanded={e.id === open} onClick={() => toggle(e)} title={e.text}>
            <Text>{e.text || words(e.what)}</Text>
          </button>
        </div>
        <div className="second">
          {e.object && <Text>{e.object}</Text>}
          {!e.object && words(e.what)}
        </div>
      </>
    ),
  },
  {
    id: 'who',
    title: 'Who',
    width: 130,
    share: 2,
    cell: (e) => (
      <>
        <div title={e.who}>
          <Text>{e.who}</Text>
        </div>
        <div className="second">{[kinds[e.kind], e.from].filter(Boolean).join(', ')}</div>
      </>
    ),
  },
  { id: 'customer', title: 'Customer', width: 130, share: 1, from: 'wide', cell: (e) => <div>{e.customer ? <Text>{e.customer.name}</Text> : <span className="quiet">—</span>}</div> },
  { id: 'when', title: 'When', width: 108, from: 'narrow', cell: (e) => <Time at={e.at} /> },
];

function Told({ entry: e }: { entry: Entry }) {
  const fields = changes(e.before, e.after);
  return (
    <div className="stack told">
      {fields.length > 0 ? (
        <table className="lines">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
            </tr>
          </thead>
          <tbody>
            {fields.map((f) => (
              <tr key={f.name}>
                <th scope="row">{f.name ? fieldName(f.name) : 'All of it'}</th>
                <td>{f.before ? <Text>{f.before}</Text> : <span className="quiet">—</span>}</td>
                <td>{f.after ? <Text>{f.after}</Text> : <span className="quiet">—</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p className="quiet">No field was changed by it.</p>
      )}
      <p className="small quiet">
        <Time at={e.at} full />, {e.what}
        {e.from && `, from ${e.from}`}
        {e.reference && `, reference ${e.reference}`}
        {e.customer && (
          <>
            ,{' '}
            <Link to="/customers/$customer" params={{ customer: String(e.customer.id) } as never}>
              <Text>{e.customer.name}</Text>
            </Link>
          </>
        )}
      </p>
    </div>
  );
}
