import './notifications.css';
import { Button, Select, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, api, got, type Schemas } from '../../api/client';
import { useMe, useZone } from '../../api/session';
import { day, dayOf } from '../../format';
import { FaultNote, Loaded } from '../../parts/fault';
import { Text, Time } from '../../parts/show';
import { type Kind, kindName, kinds, type Mute, mutesQuery } from './data';

/** What a mute is about, in a line. */
export function about(m: Pick<Mute, 'kind' | 'customer' | 'license'>): string {
  const of = [m.license?.name, m.customer?.name].filter(Boolean).join(', ');
  return [m.kind ? kindName(m.kind) : 'Everything', of && `of ${of}`].filter(Boolean).join(' ');
}

/** What is not told for a while, for everybody of the workspace. */
export function Mutes() {
  const { may } = useMe();
  const queries = useQueryClient();
  const mutes = useQuery(mutesQuery);
  const [adding, setAdding] = useState(false);
  const end = useMutation({
    mutationFn: (mute: number) => got(api.DELETE('/mutes/{mute}', { params: { path: { mute } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: mutesQuery.queryKey }),
  });
  const editable = may('technician');
  return (
    <section className="stack" aria-labelledby="mutes">
      <div className="between">
        <h2 id="mutes">Muted</h2>
        {editable && !adding && <Button onClick={() => setAdding(true)}>Mute…</Button>}
      </div>
      <p className="quiet">Nobody in this workspace is told of these until their day.</p>
      {adding && <Add onClose={() => setAdding(false)} />}
      {end.error && <FaultNote error={end.error} />}
      <Loaded query={mutes} what="The mutes" rows={2}>
        {(data) =>
          data.items.length === 0 ? (
            <p className="quiet">Nothing is muted.</p>
          ) : (
            <table className="lines">
              <thead>
                <tr>
                  <th scope="col">What</th>
                  <th scope="col">Why</th>
                  <th scope="col">Through</th>
                  <th scope="col">
                    <span className="unseen">End it</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {data.items.map((m) => (
                  <tr key={m.id}>
                    <td>
                      <Text>{about(m)}</Text>
                    </td>
                    <td>
                      <Text>{m.reason}</Text>
                      <div className="small quiet">
                        <Text>{m.by}</Text>, <Time at={m.at} />
                      </div>
                    </td>
                    <td className="when">{day(m.until)}</td>
                    <td className="num">
                      {editable && (
                        <button type="button" className="linklike" disabled={end.isPending} onClick={() => end.mutate(m.id)}>
                          Tell again<span className="unseen">: {about(m)}</span>
                        </button>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Loaded>
    </section>
  );
}

function Add({ onClose }: { onClose: () => void }) {
  const zone = useZone();
  const queries = useQueryClient();
  const [kind, setKind] = useState<Kind>();
  const [customer, setCustomer] = useState<{ id: number; name: string }>();
  const [license, setLicense] = useState<string>();
  const [until, setUntil] = useState('');
  const [reason, setReason] = useState('');
  const body: Schemas['MuteInput'] = { ...(kind ? { kind } : {}), ...(customer ? { customer: customer.id } : {}), ...(license ? { license } : {}), reason: reason.trim(), until };
  const named = Boolean(kind ?? customer ?? license);
  const add = useMutation({
    mutationFn: () => got(api.POST('/mutes', { body })),
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: mutesQuery.queryKey });
    },
  });
  const errors = add.error instanceof ApiError ? add.error.fields : {};
  const today = Date.now();
  return (
    <form
      className="stack mute-form"
      aria-label="Mute"
      onSubmit={(e) => {
        e.preventDefault();
        e.stopPropagation();
        if (named) add.mutate();
      }}
    >
      <div className="row wrap" style={{ alignItems: 'flex-start' }}>
        <Select label="Kind" placeholder="Every kind" clearable data={kinds.map((k) => ({ value: k.kind, label: k.name }))} value={kind ?? null} onChange={(v) => setKind((v ?? undefined) as Kind | undefined)} error={errors.kind} w={240} data-autofocus />
        <CustomerSelect
          value={customer}
          onChange={(c) => {
            setCustomer(c);
            setLicense(undefined);
          }}
          error={errors.customer}
        />
        <LicenseSelect customer={customer?.id} value={license} onChange={setLicense} error={errors.license} />
      </div>
      <div className="row wrap" style={{ alignItems: 'flex-end' }}>
        <TextInput type="date" label="Through" required min={dayOf(new Date(today), zone)} value={until} onChange={(e) => setUntil(e.currentTarget.value)} error={errors.until} w={150} />
        <Button onClick={() => setUntil(dayOf(new Date(today + 30 * 86_400_000), zone))}>30 days</Button>
        <Button onClick={() => setUntil(dayOf(new Date(today + 90 * 86_400_000), zone))}>90 days</Button>
        <TextInput label="Reason" required maxLength={1000} value={reason} onChange={(e) => setReason(e.currentTarget.value)} error={errors.reason} style={{ flex: 1, minWidth: 180 }} />
      </div>
      {add.error && <FaultNote error={add.error} />}
      <div className="row">
        <Button type="submit" variant="filled" disabled={!named} loading={add.isPending}>
          Mute it
        </Button>
        <Button onClick={onClose}>Cancel</Button>
        {!named && <span className="quiet">Name a kind, a customer or a license.</span>}
      </div>
    </form>
  );
}

function CustomerSelect({ value, onChange, error }: { value?: { id: number; name: string }; onChange: (c?: { id: number; name: string }) => void; error?: string }) {
  const [typed, setTyped] = useState('');
  const [q] = useDebouncedValue(typed === value?.name ? '' : typed, 250);
  const [open, setOpen] = useState(false);
  const found = useQuery({
    queryKey: ['customers', 'named', q],
    queryFn: ({ signal }) => got(api.GET('/customers', { params: { query: { q: q || undefined, limit: 50 } }, signal })),
    enabled: open,
    placeholderData: keepPreviousData,
  });
  const items = (found.data?.items ?? []).map((c) => ({ id: c.id, name: c.name }));
  const all = value && !items.some((c) => c.id === value.id) ? [value, ...items] : items;
  return (
    <Select
      label="Customer"
      placeholder="Every customer"
      searchable
      clearable
      data={all.map((c) => ({ value: String(c.id), label: c.name }))}
      filter={({ options }) => options}
      value={value ? String(value.id) : null}
      onChange={(id) => onChange(all.find((c) => c.id === Number(id)))}
      onSearchChange={setTyped}
      onDropdownOpen={() => setOpen(true)}
      nothingFoundMessage={found.isFetching ? 'Looking' : 'No such customer'}
      error={error}
      w={220}
    />
  );
}

function LicenseSelect({ customer, value, onChange, error }: { customer?: number; value?: string; onChange: (id?: string) => void; error?: string }) {
  const licenses = useQuery({
    queryKey: ['licenses', 'of', customer],
    queryFn: ({ signal }) => got(api.GET('/licenses', { params: { query: { customer, limit: 200 } }, signal })),
    enabled: customer !== undefined,
  });
  return (
    <Select
      label="License"
      placeholder={customer === undefined ? 'Choose a customer first' : 'Every license'}
      searchable
      clearable
      disabled={customer === undefined}
      data={(licenses.data?.items ?? []).map((l) => ({ value: l.id, label: l.subscription ? `${l.name} (${l.subscription.slice(0, 8)})` : l.name }))}
      value={value ?? null}
      onChange={(v) => onChange(v ?? undefined)}
      error={error}
      w={240}
    />
  );
}
