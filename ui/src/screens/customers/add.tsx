import { Button, Drawer, Select, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { many } from '../../format';
import { FaultNote, Loaded, State } from '../../parts/fault';
import { Status, Text } from '../../parts/show';

type Match = Schemas['Match'];
type Tenant = Schemas['Tenant'];

const sure = { sure: ['ok', 'Sure'], likely: ['change', 'Likely'], none: ['none', 'No match'] } as const;

/** Companies of ConnectWise on one side, tenants of Microsoft on the other, with the evidence. */
export default function Add({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const [text, setText] = useState('');
  const [q] = useDebouncedValue(text, 250);
  const [chosen, setChosen] = useState<Record<number, Tenant>>({});
  const matches = useQuery({
    queryKey: ['matches', q],
    queryFn: () => got(api.GET('/matches', { params: { query: { q: q || undefined, limit: 500 } } })),
    placeholderData: keepPreviousData,
  });
  const items = Object.entries(chosen).map(([company, t]) => ({ company: Number(company), tenants: [{ tenant: t.id, connection: t.connection }] }));
  const add = useMutation({
    mutationFn: () => got(api.POST('/customers/bulk', { body: { items } })),
    onSuccess: async (r) => {
      setChosen(Object.fromEntries(r.results.flatMap((one) => (one.ok ? [] : Object.entries(chosen).slice(one.index, one.index + 1)))));
      await Promise.all(['customers', 'matches', 'overview'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
      if (r.failed === 0) onClose();
    },
  });
  const take = (all: Match[]) =>
    setChosen((before) => ({ ...before, ...Object.fromEntries(all.flatMap((m) => (m.tenant ? [[m.company.id, m.tenant] as const] : []))) }));
  const choose = (m: Match, id: string | null) => {
    const to = { ...chosen };
    const tenant = [m.tenant, ...m.others].find((t) => t?.id === id);
    if (tenant) to[m.company.id] = tenant;
    else delete to[m.company.id];
    setChosen(to);
  };

  return (
    <Drawer opened onClose={onClose} title="Match customers" size={720}>
      <div className="stack loose">
        <TextInput label="Find" placeholder="Company or tenant" value={text} onChange={(e) => setText(e.currentTarget.value)} />
        <Loaded query={matches} what="The matches" rows={6}>
          {(data) => {
            const open = data.items.filter((m) => m.company.customer === undefined);
            const certain = open.filter((m) => m.confidence === 'sure' && m.tenant && !m.duplicate);
            if (open.length === 0) return <State title="Nothing to match">Every company that was found is a customer already.</State>;
            return (
              <>
                <div className="between">
                  <span className="quiet">
                    {data.sure} sure, {data.likely} likely, {data.unmatched} without a match
                  </span>
                  {certain.length > 0 && <Button onClick={() => take(certain)}>Accept {many(certain.length, 'sure match', 'sure matches')}</Button>}
                </div>
                <table className="lines">
                  <thead>
                    <tr>
                      <th scope="col">Company</th>
                      <th scope="col">Tenant</th>
                      <th scope="col">Match</th>
                    </tr>
                  </thead>
                  <tbody>
                    {open.slice(0, 200).map((m) => (
                      <tr key={m.company.id}>
                        <td>
                          <Text>{m.company.name}</Text>
                          {m.evidence.map((e) => (
                            <div key={e.code} className="small quiet">
                              <Text>{e.text}</Text>
                            </div>
                          ))}
                          {m.duplicate && (
                            <div className="small" style={{ color: 'var(--warn)' }}>
                              This tenant is proposed for another company too.
                            </div>
                          )}
                        </td>
                        <td style={{ width: 270 }}>
                          <Select
                            aria-label={`Tenant of ${m.company.name}`}
                            placeholder={m.tenant ? `${m.tenant.name}?` : 'None found'}
                            clearable
                            searchable
                            data={[m.tenant, ...m.others].flatMap((t) => (t ? [{ value: t.id, label: t.domain ? `${t.name} (${t.domain})` : t.name }] : []))}
                            value={chosen[m.company.id]?.id ?? null}
                            onChange={(v) => choose(m, v)}
                          />
                        </td>
                        <td>
                          <Status tone={sure[m.confidence][0]}>{sure[m.confidence][1]}</Status>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
                {open.length > 200 && <p className="quiet">200 of {open.length} are shown. Find the others by name.</p>}
              </>
            );
          }}
        </Loaded>
        {add.error && <FaultNote error={add.error} />}
        {add.data && add.data.failed > 0 && (
          <div className="note warn" role="status">
            <div>
              {add.data.done} added, {add.data.failed} not:
              {add.data.results
                .filter((r) => !r.ok)
                .map((r) => (
                  <div key={r.index}>
                    {r.text} {r.action}
                  </div>
                ))}
            </div>
          </div>
        )}
        <div className="row">
          <Button variant="filled" disabled={items.length === 0 || items.length > 500} loading={add.isPending} onClick={() => add.mutate()}>
            Add {many(items.length, 'customer')}
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </div>
    </Drawer>
  );
}
