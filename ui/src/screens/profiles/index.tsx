import { Button, Drawer, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useMemo, useState } from 'react';
import { settingsQuery, useMe } from '../../api/session';
import { compare, count, many, money } from '../../format';
import { Bones, FaultState, State } from '../../parts/fault';
import { type Column, DataGrid } from '../../parts/grid';
import { oneOf, type Search, useFilters } from '../../parts/search';
import { Status, Text } from '../../parts/show';
import { profilesQuery } from '../links/data';
import { billWords, type Profile } from './data';

const ProfileDrawer = lazy(() => import('./drawer'));
const ProfileSuggestions = lazy(() => import('./suggestions').then((m) => ({ default: m.ProfileSuggestions })));

const states = ['used', 'unused', 'retired'] as const;
const sorts = ['name', 'product', 'price', 'links'] as const;

const priceOf = (p: Profile) => p.price ?? p.productPrice ?? '0';

/** The profiles that the filters leave, in order. Retired ones are seen when they are asked for. */
export function shown(all: Profile[], search: Search): Profile[] {
  const q = (search.q ?? '').trim().toLowerCase();
  const state = oneOf(search.state, states);
  const sort = oneOf(search.sort, sorts) ?? 'name';
  return all
    .filter((p) => (state === 'retired' ? p.retired : !p.retired))
    .filter((p) => state !== 'used' || p.links > 0)
    .filter((p) => state !== 'unused' || p.links === 0)
    .filter((p) => !q || `${p.name}\n${p.productName}\n${p.agreementTypes.map((t) => t.name).join('\n')}`.toLowerCase().includes(q))
    .toSorted((a, b) => {
      const byName = a.name.localeCompare(b.name);
      if (sort === 'links') return b.links - a.links || byName;
      if (sort === 'product') return a.productName.localeCompare(b.productName) || byName;
      if (sort === 'price') return compare(priceOf(b), priceOf(a)) || byName;
      return byName;
    });
}

const columnsFor = (currency: string): Column<Profile>[] => [
  {
    id: 'name',
    title: 'Name',
    width: 170,
    share: 3,
    sort: 'name',
    cell: (p) => (
      <>
        <div className="name" title={p.name}>
          <Text>{p.name}</Text>
        </div>
        <div className="second instead">
          <Text>{p.agreementTypes.map((t) => t.name).join(', ')}</Text>
        </div>
      </>
    ),
  },
  {
    id: 'types',
    title: 'Agreement types',
    width: 140,
    share: 2,
    from: 'wide',
    cell: (p) => (
      <div title={p.agreementTypes.map((t) => t.name).join(', ')}>
        <Text>{p.agreementTypes.map((t) => t.name).join(', ')}</Text>
      </div>
    ),
  },
  {
    id: 'product',
    title: 'Product',
    width: 120,
    share: 2,
    from: 'narrow',
    sort: 'product',
    cell: (p) => (
      <div>
        <Text>{p.productName}</Text>
      </div>
    ),
  },
  {
    id: 'price',
    title: 'Price',
    width: 108,
    numeric: true,
    sort: 'price',
    cell: (p) => (
      <>
        <div>{p.price ? money(p.price, p.currency || currency) : p.productPrice ? money(p.productPrice, currency) : '—'}</div>
        <div className="second">{p.price ? 'Custom' : "Product's"}</div>
      </>
    ),
  },
  { id: 'bill', title: 'On the invoice', width: 110, from: 'medium', cell: (p) => <div className={p.bill === 'billable' ? undefined : 'quiet'}>{billWords[p.bill]}</div> },
  { id: 'links', title: 'Links', width: 66, numeric: true, sort: 'links', cell: (p) => (p.links > 0 ? count(p.links) : '—') },
  {
    id: 'state',
    title: 'Status',
    width: 92,
    from: 'medium',
    cell: (p) => (p.retired ? <Status tone="none">Retired</Status> : p.links > 0 ? <Status tone="ok">In use</Status> : <Status tone="held">Not used</Status>),
  },
];

/** What licenses are billed as: a product of ConnectWise, its price, and the agreements it may stand on. */
export default function ProfilesScreen() {
  const { may } = useMe();
  const [search, set] = useFilters();
  const profiles = useQuery(profilesQuery);
  const currency = useQuery(settingsQuery).data?.settings.currency ?? '';
  const all = useMemo(() => profiles.data?.items ?? [], [profiles.data]);
  const rows = useMemo(() => shown(all, search), [all, search]);
  const columns = useMemo(() => columnsFor(currency), [currency]);
  const [made, setMade] = useState<number>();
  const [q, setQ] = useState(search.q ?? '');
  const filtered = Boolean(search.q ?? search.state);
  const clear = () => {
    setQ('');
    set({ q: undefined, state: undefined });
  };
  const editable = may('billing');
  const adding = editable && (
    <>
      <Button onClick={() => set({ suggest: 'true' })}>Suggestions</Button>
      <Button variant={all.length === 0 ? 'filled' : 'default'} onClick={() => set({ profile: 'new' })}>
        Add a profile
      </Button>
    </>
  );

  return (
    <>
      <header className="page-head">
        <h1>Billing profiles</h1>
        <div className="row">
          <span role="status">{made !== undefined && `${many(made, 'profile')} made.`}</span>
          {all.length > 0 && adding}
        </div>
      </header>
      {all.length > 0 && (
        <search className="filters">
          <TextInput
            data-filter
            aria-label="Name, product or agreement type"
            placeholder="Name, product or type"
            value={q}
            onChange={(e) => {
              setQ(e.currentTarget.value);
              set({ q: e.currentTarget.value || undefined });
            }}
            w={230}
          />
          <Select
            aria-label="Status"
            placeholder="All but retired"
            clearable
            data={[
              { value: 'used', label: 'In use' },
              { value: 'unused', label: 'Not used' },
              { value: 'retired', label: 'Retired' },
            ]}
            value={oneOf(search.state, states) ?? null}
            onChange={(v) => set({ state: v ?? undefined })}
            w={150}
          />
          {filtered && <Button onClick={clear}>Clear filters</Button>}
          <span className="grow" />
          <span className="quiet" role="status">
            {many(rows.length, 'profile')}
          </span>
        </search>
      )}
      {profiles.isPending ? (
        <Bones rows={10} />
      ) : profiles.error && all.length === 0 ? (
        <FaultState what="The billing profiles" error={profiles.error} onRetry={() => void profiles.refetch()} />
      ) : all.length === 0 ? (
        <State title="No billing profiles yet" action={adding}>
          A profile says as which product of ConnectWise a license is billed, at which price, and on which agreements. Trueup can suggest them from what your agreements have now.
        </State>
      ) : rows.length === 0 ? (
        <State title="No profile is like that" action={<Button onClick={clear}>Clear filters</Button>}>
          {filtered ? 'No billing profile fits these filters.' : 'All of them are retired.'}
        </State>
      ) : (
        <DataGrid
          label="Billing profiles"
          rows={rows}
          columns={columns}
          id={(p) => String(p.id)}
          sort={oneOf(search.sort, sorts) ?? 'name'}
          onSort={(sort) => set({ sort: sort === 'name' ? undefined : sort })}
          onOpen={(p) => set({ profile: String(p.id) })}
        />
      )}
      <Suspense>
        {/^(new|\d{1,15})$/.test(search.profile ?? '') && (editable || search.profile !== 'new') && (
          <ProfileDrawer key={search.profile} profile={search.profile ?? ''} onClose={() => set({ profile: undefined })} />
        )}
      </Suspense>
      {editable && search.suggest === 'true' && (
        <Drawer opened onClose={() => set({ suggest: undefined })} title="Suggested billing profiles" size={860}>
          <Suspense fallback={<Bones rows={6} />}>
            <ProfileSuggestions
              onMade={(n) => {
                setMade(n);
                set({ suggest: undefined });
              }}
            />
          </Suspense>
        </Drawer>
      )}
    </>
  );
}
