import { Button, NumberInput, SegmentedControl, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback, useHotkeys } from '@mantine/hooks';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import { api, got } from '../../api/client';
import { useMe, useZone } from '../../api/session';
import { day, many, monthly, moved, negative, next, sums } from '../../format';
import { Bones, FaultState, State } from '../../parts/fault';
import { type Column, DataGrid } from '../../parts/grid';
import { Ledger } from '../../parts/plan';
import { stringifySearch, useFilters } from '../../parts/search';
import { Becomes, Outward, Status, Text } from '../../parts/show';
import { hasScreen } from '../../screens';
import { Answers } from './answers';
import { Bar } from './bar';
import { amongAll, asked, notApprovable, type Plan, type Row, rowsOf } from './choose';

const Policy = lazy(() => import('./policy'));

const key = (r: Row) => (r.kind === 'plan' ? r.plan.link : `customer-${r.customer.id}`);

function columnsFor(open: string | undefined, toggle: (link: string) => void): Column<Row>[] {
  const of = (draw: (p: Plan) => React.ReactNode) => (r: Row) => (r.kind === 'plan' ? draw(r.plan) : null);
  return [
    {
      id: 'license',
      title: 'License',
      width: 170,
      share: 3,
      cell: of((p) => (
        <>
          <div className="name">
            <button type="button" className="plain" aria-expanded={open === p.link} onClick={() => toggle(p.link)}>
              <Text>{p.license.name}</Text>
            </button>
          </div>
          <div className="second">
            <Text>{p.profile?.name ?? p.customer.name}</Text>
          </div>
        </>
      )),
    },
    {
      id: 'customer',
      title: 'Customer and agreement',
      width: 140,
      share: 2,
      from: 'medium',
      cell: of((p) => (
        <>
          <div>
            <Text>{p.customer.name}</Text>
          </div>
          <div className="second">
            <Text>{p.agreement?.name}</Text>
          </div>
        </>
      )),
    },
    { id: 'quantity', title: 'Billed', width: 92, numeric: true, cell: of((p) => <Becomes from={p.was} to={p.seats.billed} />) },
    { id: 'money', title: 'Per month', width: 108, numeric: true, cell: of((p) => moved(p.money.monthly, p.money.currency)) },
    { id: 'by', title: 'Approve by', width: 92, from: 'wide', cell: of((p) => (p.approveBy ? day(p.approveBy) : '—')) },
    {
      id: 'status',
      title: 'Status',
      width: 146,
      from: 'narrow',
      cell: of((p) =>
        p.postponed ? (
          <Status tone="held">Held to {day(p.postponed.until)}</Status>
        ) : !p.approvable ? (
          <Status tone="bad">Needs an answer</Status>
        ) : p.odd ? (
          <Status tone="warn">Check this</Status>
        ) : (
          <Status tone="change">Change</Status>
        ),
      ),
    },
  ];
}

/** The changes that wait for a person: look, then approve exactly what is shown. */
export default function ApprovalsScreen() {
  const { may } = useMe();
  const zone = useZone();
  const [search, set] = useFilters();
  const query = useMemo(() => asked(search), [search]);
  const flat = search.flat === 'true';
  const plans = useInfiniteQuery({
    queryKey: ['approvals', query],
    queryFn: ({ pageParam, signal }) => got(api.GET('/approvals', { params: { query: { ...query, limit: 500, cursor: pageParam || undefined } }, signal })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
    refetchInterval: 60_000,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = plans;
  // All of them, so that sums and groups are whole.
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  const all = useMemo(() => plans.data?.pages.flatMap((p) => p.items) ?? [], [plans.data]);
  const rows = useMemo(() => rowsOf(all, flat), [all, flat]);
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const selected = all.filter((p) => chosen.has(p.link));
  const [policy, setPolicy] = useState(false);
  const open = search.open;
  const toggle = (link: string) => set({ open: open === link ? undefined : link });
  const columns = columnsFor(open, toggle);
  const typed = useDebouncedCallback((q: string) => set({ q: q || undefined }), 250);
  const filtered = Object.values(query).some((v) => v !== undefined);
  const clear = () => set(Object.fromEntries(Object.keys(query).map((k) => [k, undefined])));
  useHotkeys([['Escape', () => (open ? set({ open: undefined }) : setChosen(new Set()))]]);

  return (
    <>
      <header className="page-head">
        <h1>Approvals</h1>
        <div className="row">
          <Button component="a" href={`/api/v1/approvals/export${stringifySearch(query)}`} download>
            Export CSV
          </Button>
          <Button onClick={() => setPolicy(true)}>Approval rules</Button>
        </div>
      </header>
      {plans.data && all.length > 0 && <Totals plans={all} />}
      <Filters search={search} set={set} typed={typed} flat={flat} filtered={filtered} clear={clear} />
      {plans.isPending ? (
        <Bones rows={10} />
      ) : plans.error && all.length === 0 ? (
        <FaultState what="The changes" error={plans.error} onRetry={() => void plans.refetch()} />
      ) : all.length === 0 ? (
        filtered ? (
          <State title="No change is like that" action={<Button onClick={clear}>Clear filters</Button>}>
            No change that waits fits these filters.
          </State>
        ) : (
          <Nothing zone={zone} />
        )
      ) : (
        <DataGrid
          label="Changes that wait"
          rows={rows}
          columns={columns}
          id={key}
          onOpen={(r) => r.kind === 'plan' && toggle(r.plan.link)}
          heads={(r) => r.kind === 'customer' && <Customer row={r} chosen={chosen} set={may('billing') ? setChosen : undefined} />}
          detail={(r) => (r.kind === 'plan' && r.plan.link === open ? <Detail plan={r.plan} /> : undefined)}
          choice={
            may('billing')
              ? {
                  chosen,
                  set: setChosen,
                  name: (r) => (r.kind === 'plan' ? `${r.plan.license.name}, ${r.plan.customer.name}` : r.customer.name),
                  not: (r) => (r.kind === 'plan' ? notApprovable(r.plan) : 'it heads others'),
                  amongAll: (r) => r.kind === 'plan' && amongAll(r.plan),
                }
              : undefined
          }
        />
      )}
      {may('billing') ? (
        <Bar plans={selected} onClear={() => setChosen(new Set())} />
      ) : (
        all.length > 0 && <div className="bar quiet">You can look but not approve.</div>
      )}
      {policy && (
        <Suspense>
          <Policy onClose={() => setPolicy(false)} />
        </Suspense>
      )}
    </>
  );
}

function Totals({ plans }: { plans: Plan[] }) {
  const up = plans.filter((p) => p.direction === 'increase');
  const down = plans.filter((p) => p.direction === 'decrease');
  const of = (some: Plan[]) => monthly(sums(some.map((p) => p.money)));
  return (
    <div className="figures">
      <div>
        <span>Net change per month</span>
        <b>{of(plans)}</b>
      </div>
      <div>
        <span>{many(up.length, 'increase')}</span>
        <b>{of(up)}</b>
      </div>
      <div>
        <span>{many(down.length, 'decrease')}</span>
        <b>{of(down)}</b>
      </div>
    </div>
  );
}

function Nothing({ zone }: { zone: string }) {
  const overview = useQuery({ queryKey: ['overview'], queryFn: () => got(api.GET('/overview')) });
  const at = overview.data?.verdict.nextSync;
  return <State title="No changes are waiting">{at && `The next sync is ${next(at, zone)}.`}</State>;
}

interface FiltersProps {
  search: Record<string, string>;
  set: (change: Record<string, string | undefined>) => void;
  typed: (q: string) => void;
  flat: boolean;
  filtered: boolean;
  clear: () => void;
}

function Filters({ search, set, typed, flat, filtered, clear }: FiltersProps) {
  const types = useQuery({ queryKey: ['agreement-types'], queryFn: () => got(api.GET('/manage/agreement-types')), staleTime: 300_000, retry: false });
  const over = useDebouncedCallback((v: string) => set({ over: v || undefined }), 300);
  return (
    <search className="filters">
      <TextInput
        key={search.q === undefined ? 'empty' : 'typed'}
        data-filter
        aria-label="License, customer or agreement"
        placeholder="License, customer or agreement"
        defaultValue={search.q ?? ''}
        onChange={(e) => typed(e.currentTarget.value)}
        w={230}
      />
      <SegmentedControl
        aria-label="Direction"
        value={search.direction ?? ''}
        onChange={(v) => set({ direction: v || undefined })}
        data={[
          { value: '', label: 'All' },
          { value: 'increase', label: 'Increases' },
          { value: 'decrease', label: 'Decreases' },
        ]}
      />
      <Select
        aria-label="Agreement type"
        placeholder="Any agreement type"
        clearable
        data={types.data?.items.map((t) => ({ value: String(t.id), label: t.name })) ?? []}
        value={search.agreementType ?? null}
        onChange={(v) => set({ agreementType: v ?? undefined })}
        w={170}
      />
      <NumberInput
        key={search.over === undefined ? 'none' : 'some'}
        aria-label="Over so much per month"
        placeholder="Over"
        min={0}
        hideControls
        defaultValue={search.over ?? ''}
        onChange={(v) => over(String(v))}
        w={80}
      />
      <Select
        aria-label="Which"
        placeholder="Any state"
        clearable
        data={[
          { value: 'odd', label: 'Check this' },
          { value: 'postponed', label: 'Held' },
          { value: 'old', label: 'Over 7 days old' },
        ]}
        value={search.odd === 'true' ? 'odd' : search.postponed === 'true' ? 'postponed' : search.olderThan ? 'old' : null}
        onChange={(v) => set({ odd: v === 'odd' ? 'true' : undefined, postponed: v === 'postponed' ? 'true' : undefined, olderThan: v === 'old' ? '7' : undefined })}
        w={130}
      />
      {filtered && <Button onClick={clear}>Clear filters</Button>}
      <span className="grow" />
      <Button onClick={() => set({ flat: flat ? undefined : 'true' })}>{flat ? 'Group by customer' : 'One list'}</Button>
    </search>
  );
}

function Customer({ row, chosen, set }: { row: Extract<Row, { kind: 'customer' }>; chosen: Set<string>; set?: (to: Set<string>) => void }) {
  const mine = row.plans.filter(amongAll).map((p) => p.link);
  const some = mine.filter((link) => chosen.has(link)).length;
  const toggle = () => {
    const to = new Set(chosen);
    for (const link of mine) {
      if (some === mine.length) to.delete(link);
      else to.add(link);
    }
    set?.(to);
  };
  const sum = monthly(sums(row.plans.map((p) => p.money)));
  return (
    <>
      {set && (
        <div className="grid-cell grid-check" role="cell">
          {mine.length > 0 ? (
            <label>
              <span className="unseen">
                Select all of {row.customer.name}, {mine.length} of {row.plans.length}
              </span>
              <input
                type="checkbox"
                checked={some === mine.length}
                ref={(box) => {
                  if (box) box.indeterminate = some > 0 && some < mine.length;
                }}
                onChange={toggle}
              />
            </label>
          ) : (
            <span className="unseen">Nothing of {row.customer.name} is selected at once</span>
          )}
        </div>
      )}
      <div className="grid-cell clip" role="cell" style={{ flex: 1 }}>
        <b>
          {hasScreen('/customers/$customer') ? (
            <Link to="/customers/$customer" params={{ customer: String(row.customer.id) } as never}>
              <Text>{row.customer.name}</Text>
            </Link>
          ) : (
            <Text>{row.customer.name}</Text>
          )}
        </b>{' '}
        <span className="quiet">{many(row.plans.length, 'change')}</span>
      </div>
      <div className="grid-cell num" role="cell">
        {sum} <span className="quiet">per month</span>
      </div>
    </>
  );
}

function Detail({ plan }: { plan: Plan }) {
  return (
    <div className="stack">
      {plan.postponed && (
        <div className="note">
          <div>
            Held to {day(plan.postponed.until)} by <Text>{plan.postponed.by}</Text>: <Text>{plan.postponed.reason}</Text>
          </div>
        </div>
      )}
      <Ledger plan={plan} />
      <div className="small quiet">
        Waiting since {day(plan.since)}.{plan.approveBy && ` ${negative(plan.money.monthly) ? 'Approve' : 'Approve it'} by ${day(plan.approveBy)}, or money is lost.`}
      </div>
      <Answers plan={plan} />
      <div className="row wrap" style={{ gap: 16 }}>
        {hasScreen('/links') && (
          <>
            <Link to="/links" search={{ license: plan.license.id } as never}>
              Change link
            </Link>
            <Link to="/links" search={{ license: plan.license.id, tab: 'why' } as never}>
              Why {plan.seats.billed}?
            </Link>
          </>
        )}
        {plan.agreement && <Outward to={plan.agreement.url}>Open agreement</Outward>}
      </div>
    </div>
  );
}
