import '../../parts/unsaved.css';
import './profiles.css';
import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { settingsQuery } from '../../api/session';
import { count, many } from '../../format';
import { FaultNote, Loaded, State } from '../../parts/fault';
import { Status, Text } from '../../parts/show';
import { ProductSelect, TypesSelect } from './choose';
import { type Item, type ProfileInput, type Proposal, proposalsQuery, ready } from './data';

/** A row as it is edited. Its key stays when others go. */
interface Row {
  key: string;
  of: Proposal;
  ticked: boolean;
  name: string;
  types: number[];
  product?: Item;
}

export function rowsOf(all: Proposal[]): Row[] {
  return all
    .filter((p) => !p.exists?.id)
    .toSorted((a, b) => Number(ready(b)) - Number(ready(a)))
    .map((p) => ({ key: `${p.sku} ${p.term ?? ''} ${p.product?.id ?? ''}`, of: p, ticked: ready(p), name: p.name, types: p.agreementTypes.map((t) => t.id), product: p.product }));
}

/** A row as it is sent; undefined while something is missing. */
export function inputOf(r: Row): ProfileInput | undefined {
  const name = r.name.trim();
  if (!name || !r.product || r.types.length === 0) return undefined;
  return { name, product: r.product.id, agreementTypes: r.types, bill: 'billable' };
}

/**
 * Profiles that could be made, found by the licenses of customers and by what stands on
 * active agreements: look, tick, and make them in one go. onMade is told how many were made
 * when none is left that failed.
 */
export function ProfileSuggestions({ onMade }: { onMade?: (made: number) => void }) {
  const proposals = useQuery(proposalsQuery);
  return (
    <Loaded query={proposals} what="The suggestions" rows={6}>
      {(data) => <Table key={proposals.dataUpdatedAt} all={data.items} onMade={onMade} />}
    </Loaded>
  );
}

function Table({ all, onMade }: { all: Proposal[]; onMade?: (made: number) => void }) {
  const queries = useQueryClient();
  const currency = useQuery(settingsQuery).data?.settings.currency ?? '';
  const [rows, setRows] = useState(() => rowsOf(all));
  const [failed, setFailed] = useState<Record<string, Schemas['BulkResult']>>({});
  const [made, setMade] = useState(0);
  const chosen = rows.flatMap((r) => {
    const body = r.ticked ? inputOf(r) : undefined;
    return body ? [{ key: r.key, body }] : [];
  });
  const incomplete = rows.filter((r) => r.ticked && !inputOf(r)).length;
  const add = useMutation({
    mutationFn: (items: typeof chosen) => got(api.POST('/profiles/bulk', { body: { items: items.map((i) => i.body) } })),
    onSuccess: async (r, items) => {
      const bad = Object.fromEntries(r.results.filter((one) => !one.ok).map((one) => [items[one.index]?.key ?? '', one]));
      setFailed(bad);
      setMade((n) => n + r.done);
      setRows((before) => before.filter((row) => bad[row.key] || !items.some((i) => i.key === row.key)));
      await Promise.all(['profiles', 'setup'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
      void queries.invalidateQueries({ queryKey: proposalsQuery.queryKey, refetchType: 'none' });
      if (r.failed === 0) onMade?.(made + r.done);
    },
  });
  const set = (key: string, change: Partial<Row>) => setRows((before) => before.map((r) => (r.key === key ? { ...r, ...change } : r)));
  const tickable = rows.filter((r) => inputOf(r));
  const allTicked = tickable.length > 0 && tickable.every((r) => r.ticked);

  const have = all.length - rowsOf(all).length;
  const found = rows.filter((r) => ready(r.of)).length;
  if (rows.length === 0) {
    return (
      <State title={made > 0 ? `${many(made, 'billing profile')} made` : 'Nothing to suggest'}>
        {have > 0 || made > 0
          ? 'Every license that Trueup knows of has a billing profile.'
          : 'No product on an active agreement is named like a Microsoft license, and no license of a customer is known yet.'}
      </State>
    );
  }
  return (
    <div className="stack">
      <p>
        {found > 0 ? <b>{many(found, 'product')} on active agreements look like Microsoft licenses.</b> : <b>No product on an active agreement looks like a Microsoft license.</b>}{' '}
        <span className="quiet">
          Look at each, then make their profiles in one go.{have > 0 && ` ${many(have, 'other license has', 'other licenses have')} one already.`}
        </span>
      </p>
      <div className="suggestions">
        <table className="lines">
          <thead>
            <tr>
              <th scope="col">
                <label>
                  <span className="unseen">Select all that are complete</span>
                  <input type="checkbox" checked={allTicked} onChange={() => setRows((before) => before.map((r) => (inputOf(r) ? { ...r, ticked: !allTicked } : r)))} />
                </label>
              </th>
              <th scope="col">Name and license</th>
              <th scope="col">Product</th>
              <th scope="col">Agreement types</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((r) => (
              <Suggestion key={r.key} row={r} set={(change) => set(r.key, change)} failed={failed[r.key]} currency={currency} />
            ))}
          </tbody>
        </table>
      </div>
      {add.error && <FaultNote error={add.error} />}
      <div className="foot-bar">
        <Button variant="filled" disabled={chosen.length === 0 || chosen.length > 200} loading={add.isPending} onClick={() => add.mutate(chosen)}>
          Make {many(chosen.length, 'profile')}
        </Button>
        <span className="grow quiet" role="status">
          {made > 0 && `${made} made. `}
          {Object.keys(failed).length > 0 && `${many(Object.keys(failed).length, 'profile')} could not be made and say why. `}
          {incomplete > 0 && `${many(incomplete, 'ticked row lacks', 'ticked rows lack')} a product or a type.`}
          {chosen.length > 200 && 'At most 200 at once.'}
        </span>
      </div>
    </div>
  );
}

function Suggestion({ row: r, set, failed, currency }: { row: Row; set: (change: Partial<Row>) => void; failed?: Schemas['BulkResult']; currency: string }) {
  const { of: p } = r;
  const reasons = failed && [...(failed.faults?.map((f) => f.text) ?? []), failed.text && !failed.faults?.length ? `${failed.text} ${failed.action ?? ''}` : ''].filter(Boolean);
  return (
    <tr>
      <td>
        <label>
          <span className="unseen">Make {r.name}</span>
          <input type="checkbox" checked={r.ticked} onChange={(e) => set({ ticked: e.currentTarget.checked })} />
        </label>
      </td>
      <td>
        <TextInput aria-label={`Name for ${p.license}${p.term ? `, ${p.term}` : ''}`} maxLength={200} value={r.name} onChange={(e) => set({ name: e.currentTarget.value })} />
        <div className="small quiet">
          <Text>{p.license}</Text>
          {p.customers > 0 ? `, ${many(p.customers, 'customer')}, ${many(p.seats, 'seat')}` : ''}
        </div>
        {reasons && reasons.length > 0 && (
          <div className="small" role="alert">
            <Status tone="bad">{reasons.join(' ')}</Status>
          </div>
        )}
      </td>
      <td>
        <ProductSelect aria-label={`Product for ${r.name}`} value={r.product} onChange={(product) => set({ product, ticked: true })} currency={currency} />
        <div className="small quiet">{r.product?.id === p.product?.id && p.additions > 0 ? `${count(p.additions)} ${p.additions === 1 ? 'line' : 'lines'} on active agreements` : r.product ? '' : 'No product is named like it'}</div>
      </td>
      <td>
        <TypesSelect searchable={false} aria-label={`Agreement types for ${r.name}`} value={r.types} onChange={(types) => set({ types })} known={p.agreementTypes} />
      </td>
    </tr>
  );
}
