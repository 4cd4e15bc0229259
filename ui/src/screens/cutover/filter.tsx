import { Autocomplete, Button, Radio, Select, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got } from '../../api/client';
import { useZone } from '../../api/session';
import { day, dayOf } from '../../format';
import { productsQuery, typesQuery } from '../profiles/data';
import { dayAfter, type Draft, draftOf, filterOf, monthEnd } from './data';

interface Props {
  search: Record<string, string>;
  onShow: (d: Draft) => void;
  busy: boolean;
  shown: boolean;
  errors: Record<string, string>;
}

/** Which lines end, and on which day. */
export function FilterForm({ search, onShow, busy, shown, errors }: Props) {
  const zone = useZone();
  const today = dayOf(new Date(), zone);
  const [d, setDraft] = useState<Draft>(() => draftOf(search, monthEnd(today)));
  const set = (change: Partial<Draft>) => setDraft((was) => ({ ...was, ...change }));
  const filter = filterOf(d);
  return (
    <form
      className="cutover-form"
      aria-label="Which lines end"
      onSubmit={(e) => {
        e.preventDefault();
        if (filter) onShow(d);
      }}
    >
      <Radio.Group className="whole" label="Which lines" value={d.by} onChange={(by) => set({ by: by as Draft['by'] })}>
        <div className="row wrap" style={{ gap: '4px 20px', paddingTop: 4 }}>
          <Radio value="serial" label="With a text in the serial number" />
          <Radio value="without" label="Without a serial number" />
          <Radio value="any" label="Of one product, whatever its serial" />
        </div>
      </Radio.Group>
      {d.by === 'serial' && <TextInput label="Text in the serial" placeholder="Cloudconsole" required maxLength={200} value={d.serial} onChange={(e) => set({ serial: e.currentTarget.value })} error={errors.serial} data-filter />}
      <ProductText value={d.product} onChange={(product) => set({ product })} required={d.by === 'any'} error={errors.product} />
      <TypeSelect value={d.type} onChange={(type) => set({ type })} error={errors.agreementType} />
      <CompanySelect value={d.company} onChange={(company) => set({ company })} error={errors.company} />
      <div>
        <TextInput type="date" label="Their last billed day" required value={d.lastDay} onChange={(e) => set({ lastDay: e.currentTarget.value })} error={errors.lastDay} />
        <div className="row small" style={{ paddingTop: 4 }}>
          <button type="button" className="linklike" onClick={() => set({ lastDay: monthEnd(today, true) })}>
            {day(monthEnd(today, true))}
          </button>
          <button type="button" className="linklike" onClick={() => set({ lastDay: monthEnd(today) })}>
            {day(monthEnd(today))}
          </button>
        </div>
      </div>
      <div className="whole row wrap">
        <Button type="submit" variant={shown ? 'default' : 'filled'} disabled={!filter} loading={busy}>
          {shown ? 'Look again' : 'Show the lines'}
        </Button>
        <span className="quiet">
          {filter ? `Trueup's own lines are never among them. They should begin on ${day(dayAfter(d.lastDay))}.` : 'Give a text, lines without a serial, or a product, so that not everything is ended.'}
        </span>
      </div>
    </form>
  );
}

function ProductText({ value, onChange, required, error }: { value: string; onChange: (v: string) => void; required: boolean; error?: string }) {
  const [q] = useDebouncedValue(value, 250);
  const [open, setOpen] = useState(false);
  const found = useQuery({ ...productsQuery(q), enabled: open, placeholderData: keepPreviousData });
  return (
    <Autocomplete
      size="xs"
      label="Product"
      placeholder="Any product"
      required={required}
      maxLength={200}
      data={[...new Set(found.data?.items.map((p) => p.identifier))]}
      filter={({ options }) => options}
      value={value}
      onChange={onChange}
      onFocus={() => setOpen(true)}
      error={error}
    />
  );
}

function TypeSelect({ value, onChange, error }: { value: string; onChange: (v: string) => void; error?: string }) {
  const types = useQuery(typesQuery);
  const names = [...new Set([...(value ? [value] : []), ...(types.data?.items.map((t) => t.name) ?? [])])];
  return <Select label="Agreement type" placeholder="Any type" searchable clearable data={names} value={value || null} onChange={(v) => onChange(v ?? '')} error={error ?? (types.error ? 'ConnectWise did not answer.' : undefined)} />;
}

function CompanySelect({ value, onChange, error }: { value: string; onChange: (v: string) => void; error?: string }) {
  const [typed, setTyped] = useState('');
  const [open, setOpen] = useState(false);
  const [q] = useDebouncedValue(typed, 250);
  const found = useQuery({
    queryKey: ['companies', q],
    queryFn: ({ signal }) => got(api.GET('/manage/companies', { params: { query: { q: q || undefined, limit: 50 } }, signal })),
    enabled: open,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  const items = (found.data?.items ?? []).map((c) => ({ value: c.identifier, label: c.name }));
  const all = value && !items.some((c) => c.value === value) ? [{ value, label: value }, ...items] : items;
  return (
    <Select
      label="Company"
      placeholder="Any company"
      searchable
      clearable
      data={all}
      filter={({ options }) => options}
      value={value || null}
      onChange={(v) => onChange(v ?? '')}
      onSearchChange={(text) => setTyped(all.some((c) => c.label === text) ? '' : text)}
      onDropdownOpen={() => setOpen(true)}
      nothingFoundMessage={found.error ? 'ConnectWise did not answer.' : found.isFetching ? 'Looking in ConnectWise' : 'No such company'}
      error={error}
    />
  );
}
