import { Button, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback, useHotkeys } from '@mantine/hooks';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { useMe } from '../../api/session';
import { many } from '../../format';
import { Bones, FaultState, State } from '../../parts/fault';
import { DataGrid } from '../../parts/grid';
import { licenseColumns } from '../../parts/licenses';
import { stringifySearch, useFilters } from '../../parts/search';
import { asked, licensesQuery, profilesQuery } from './data';

const LicenseDrawer = lazy(() => import('./drawer'));
const Bulk = lazy(() => import('./bulk'));
const Rules = lazy(() => import('./rules'));

const only = [
  { value: 'notLinked', label: 'Not linked' },
  { value: 'notBilled', label: 'Not billed' },
  { value: 'endedAgreement', label: 'Ended agreement' },
  { value: 'priceDiffers', label: 'Price differs from catalog' },
  { value: 'unused', label: 'Unused seats' },
];

/** All licenses of all customers, and what each is billed as. */
export default function LinksScreen() {
  const { may } = useMe();
  const [search, set] = useFilters();
  const query = useMemo(() => asked(search), [search]);
  const licenses = useInfiniteQuery(licensesQuery(query));
  const profiles = useQuery(profilesQuery);
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const [bulk, setBulk] = useState<'link' | 'doNotBill' | undefined>();
  const [rules, setRules] = useState(false);
  const rows = useMemo(() => licenses.data?.pages.flatMap((p) => p.items) ?? [], [licenses.data]);
  const total = licenses.data?.pages[0]?.total ?? 0;
  const filtered = Boolean(query.q ?? query.only ?? query.customer ?? query.company ?? query.profile);
  const typed = useDebouncedCallback((q: string) => set({ q: q || undefined }), 250);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = licenses;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  useHotkeys([['Escape', () => setChosen(new Set())]]);
  const clear = () => set({ q: undefined, only: undefined, customer: undefined, company: undefined, profile: undefined });

  return (
    <>
      <header className="page-head">
        <h1>License links</h1>
        <div className="row">
          <Button component="a" href={`/api/v1/licenses/export${stringifySearch(query)}`} download>
            Export CSV
          </Button>
          <Button onClick={() => setRules(true)}>Rules</Button>
        </div>
      </header>
      <search className="filters">
        <TextInput
          key={search.q === undefined ? 'empty' : 'typed'}
          data-filter
          aria-label="License or customer"
          placeholder="License or customer"
          defaultValue={search.q ?? ''}
          onChange={(e) => typed(e.currentTarget.value)}
          w={230}
        />
        <Select aria-label="Show" placeholder="All licenses" clearable data={only} value={query.only ?? null} onChange={(v) => set({ only: v ?? undefined })} w={190} />
        <Select
          aria-label="Billing profile"
          placeholder="Any billing profile"
          clearable
          searchable
          data={profiles.data?.items.map((p) => ({ value: String(p.id), label: p.name })) ?? []}
          value={search.profile ?? null}
          onChange={(v) => set({ profile: v ?? undefined })}
          w={200}
        />
        {filtered && <Button onClick={clear}>Clear filters</Button>}
        <span className="grow" />
        <span className="quiet" role="status">
          {licenses.data && many(total, 'license')}
        </span>
      </search>
      {licenses.isPending ? (
        <Bones rows={12} />
      ) : licenses.error && rows.length === 0 ? (
        <FaultState what="The licenses" error={licenses.error} onRetry={() => void licenses.refetch()} />
      ) : rows.length === 0 ? (
        filtered ? (
          <State title="No license is like that" action={<Button onClick={clear}>Clear filters</Button>}>
            No license fits these filters.
          </State>
        ) : (
          <State title="No licenses yet">Licenses come with the first sync of a customer.</State>
        )
      ) : (
        <DataGrid
          label="Licenses"
          rows={rows}
          total={total}
          columns={licenseColumns}
          id={(l) => l.id}
          sort={query.sort ?? 'customer'}
          onSort={(sort) => set({ sort: sort === query.sort ? undefined : sort })}
          onOpen={(l) => set({ license: l.id })}
          onEnd={more}
          choice={may('technician') ? { chosen, set: setChosen, name: (l) => `${l.name}, ${l.customer.name}`, not: (l) => (l.state === 'gone' ? 'Microsoft lists it no more' : undefined) } : undefined}
        />
      )}
      {chosen.size > 0 && (
        <div className="bar" role="region" aria-label="Selection">
          <span>
            <b>{chosen.size} selected</b>
          </span>
          <Button onClick={() => setChosen(new Set())}>Clear</Button>
          <Button onClick={() => setBulk('doNotBill')}>Do not bill…</Button>
          <Button variant="filled" onClick={() => setBulk('link')}>
            Link…
          </Button>
        </div>
      )}
      <Suspense>
        {search.license && <LicenseDrawer key={search.license} license={search.license} tab={search.tab} onTab={(tab) => set({ tab })} onClose={() => set({ license: undefined, tab: undefined, day: undefined })} />}
        {bulk && (
          <Bulk
            kind={bulk}
            licenses={rows.filter((l) => chosen.has(l.id))}
            onClose={() => setBulk(undefined)}
            onSaved={() => {
              setBulk(undefined);
              setChosen(new Set());
            }}
          />
        )}
        {rules && <Rules onClose={() => setRules(false)} />}
      </Suspense>
    </>
  );
}
