import './profiles.css';
import { MultiSelect, Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { count, money } from '../../format';
import { Text } from '../../parts/show';
import { type Item, productsQuery, typesQuery } from './data';

interface ProductChoice {
  value?: Item;
  onChange: (product: Item) => void;
  /** The currency of the catalog's prices. */
  currency: string;
  label?: string;
  'aria-label'?: string;
  error?: ReactNode;
  disabled?: boolean;
}

/** A product of ConnectWise's catalog, found by identifier or description, with its price. */
export function ProductSelect({ value, onChange, currency, ...field }: ProductChoice) {
  const [typed, setTyped] = useState('');
  const [q] = useDebouncedValue(typed === value?.identifier ? '' : typed, 250);
  const [open, setOpen] = useState(false);
  const found = useQuery({ ...productsQuery(q), enabled: open, placeholderData: keepPreviousData });
  const items: Item[] = found.data?.items.filter((p) => !p.bundle) ?? [];
  const all = value && !items.some((p) => p.id === value.id) ? [value, ...items] : items;
  return (
    <Select
      {...field}
      searchable
      required
      placeholder="Find a product"
      data={all.map((p) => ({ value: String(p.id), label: p.identifier }))}
      filter={({ options }) => options}
      value={value ? String(value.id) : null}
      onChange={(id) => {
        const product = all.find((p) => p.id === Number(id));
        if (product) onChange(product);
      }}
      onSearchChange={setTyped}
      onDropdownOpen={() => setOpen(true)}
      nothingFoundMessage={found.error ? 'ConnectWise did not answer. Try again in a minute.' : found.isFetching ? 'Looking in ConnectWise' : 'No active product is called this'}
      renderOption={({ option }) => {
        const p = all.find((k) => String(k.id) === option.value);
        return (
          <div className="between" style={{ width: '100%' }}>
            <span style={{ minWidth: 0 }}>
              <Text>{option.label}</Text>
              {p?.description && p.description !== option.label && (
                <span className="small quiet" style={{ display: 'block' }}>
                  <Text>{p.description}</Text>
                </span>
              )}
            </span>
            {p?.price && <span className="num">{money(p.price, currency)}</span>}
          </div>
        );
      }}
    />
  );
}

interface TypesChoice {
  value: number[];
  onChange: (types: number[]) => void;
  /** Whether one can type to find a type; where there is little room it is only chosen. */
  searchable?: boolean;
  /** Names of types that ConnectWise may not list any more. */
  known?: { id: number; name: string }[];
  label?: string;
  'aria-label'?: string;
  description?: ReactNode;
  error?: ReactNode;
  disabled?: boolean;
}

/** Agreement types, each with how many active agreements it has. */
export function TypesSelect({ value, onChange, known = [], searchable = true, ...field }: TypesChoice) {
  const types = useQuery(typesQuery);
  const listed = (types.data?.items ?? []).filter((t) => !t.inactive || value.includes(t.id));
  const data = [
    ...listed.map((t) => ({ value: String(t.id), label: t.name })),
    ...known.filter((k) => !listed.some((t) => t.id === k.id)).map((k) => ({ value: String(k.id), label: k.name })),
  ];
  return (
    <MultiSelect
      {...field}
      searchable={searchable}
      hidePickedOptions={false}
      placeholder={value.length ? undefined : 'Choose one or more'}
      data={data}
      value={value.map(String).filter((id) => data.some((d) => d.value === id))}
      onChange={(ids) => onChange(ids.map(Number))}
      nothingFoundMessage={types.error ? 'ConnectWise did not answer. Try again in a minute.' : 'No such type'}
      renderOption={({ option, checked }) => {
        const t = listed.find((k) => String(k.id) === option.value);
        return (
          <div className="between" style={{ width: '100%' }}>
            <span>
              <span aria-hidden="true">{checked ? '✓ ' : ''}</span>
              <Text>{option.label}</Text>
            </span>
            {t && <span className="small quiet">{count(t.agreements)} active</span>}
          </div>
        );
      }}
    />
  );
}

/** How many active agreements the chosen types have together. */
export function useActive(types: number[]): number | undefined {
  const query = useQuery(typesQuery);
  return query.data?.items.filter((t) => types.includes(t.id)).reduce((sum, t) => sum + t.agreements, 0);
}
