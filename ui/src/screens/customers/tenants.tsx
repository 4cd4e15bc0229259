import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, got, match, type Schemas } from '../../api/client';
import { useMe } from '../../api/session';
import { FaultNote } from '../../parts/fault';
import { Text, Time } from '../../parts/show';

type Customer = Schemas['Customer'];

/** The tenants of a customer and what reads them; and the end of the customer. */
export function Tenants({ customer: c }: { customer: Customer }) {
  const { may } = useMe();
  const queries = useQueryClient();
  const connections = useQuery({ queryKey: ['connections'], queryFn: () => got(api.GET('/connections')) });
  const [tenants, setTenants] = useState(c.tenants.map((t) => ({ tenant: t.tenant, connection: t.connection })));
  const dirty = JSON.stringify(tenants) !== JSON.stringify(c.tenants.map((t) => ({ tenant: t.tenant, connection: t.connection })));
  const save = useMutation({
    mutationFn: () => got(api.PUT('/customers/{customer}', { params: { path: { customer: c.id }, header: match(c.version) }, body: { tenants } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['customers'] }),
  });
  const set = (i: number, change: Partial<(typeof tenants)[number]>) => setTenants(tenants.map((t, at) => (at === i ? { ...t, ...change } : t)));
  const choices = (connections.data?.items ?? []).filter((k) => k.kind !== 'manage').map((k) => ({ value: String(k.id), label: k.name }));
  const editable = may('technician');
  return (
    <div className="inner stack loose">
      <h2>Microsoft tenants</h2>
      {tenants.length === 0 && <p className="quiet">No tenant is read for this customer.</p>}
      {tenants.map((t, i) => {
        const known = c.tenants.find((k) => k.tenant === t.tenant);
        return (
          <div key={i} className="row wrap" style={{ alignItems: 'flex-end' }}>
            <TextInput label="Tenant" description={known ? <Text>{known.name ?? known.domain}</Text> : 'Its id, or a verified domain'} value={t.tenant} disabled={!editable} onChange={(e) => set(i, { tenant: e.currentTarget.value.trim() })} w={320} />
            <Select label="Read by" data={choices} value={String(t.connection)} disabled={!editable} onChange={(v) => set(i, { connection: Number(v) })} w={220} />
            {editable && <Button onClick={() => setTenants(tenants.filter((_, at) => at !== i))}>Remove</Button>}
            {known?.readAt && (
              <span className="quiet">
                Read <Time at={known.readAt} />
              </span>
            )}
          </div>
        );
      })}
      {save.error && <FaultNote error={save.error} />}
      {editable && (
        <div className="row">
          <Button disabled={choices.length === 0 || tenants.length >= 50} onClick={() => setTenants([...tenants, { tenant: '', connection: Number(choices[0]?.value) }])}>
            Add a tenant
          </Button>
          <Button variant="filled" disabled={!dirty || tenants.some((t) => !t.tenant)} loading={save.isPending} onClick={() => save.mutate()}>
            Save tenants
          </Button>
          {dirty && <Button onClick={() => setTenants(c.tenants.map((t) => ({ tenant: t.tenant, connection: t.connection })))}>Discard</Button>}
        </div>
      )}
      {may('admin') && <Remove customer={c} />}
    </div>
  );
}

function Remove({ customer: c }: { customer: Customer }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState('');
  const remove = useMutation({
    mutationFn: () => got(api.DELETE('/customers/{customer}', { params: { path: { customer: c.id } } })),
    onSuccess: async () => {
      await navigate({ to: '/customers' });
      await queries.invalidateQueries({ queryKey: ['customers'] });
    },
  });
  return (
    <section className="stack">
      <h2>Remove this customer</h2>
      <p className="quiet">Its lines in ConnectWise end as the rules say, after an approval.</p>
      <div>
        <Button onClick={() => setOpen(true)}>Remove…</Button>
      </div>
      <Modal opened={open} onClose={() => setOpen(false)} title="Remove this customer?">
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            if (typed === c.name) remove.mutate();
          }}
        >
          <p>
            Type <b>{c.name}</b> to remove it.
          </p>
          <TextInput aria-label="Name of the customer" value={typed} onChange={(e) => setTyped(e.currentTarget.value)} data-autofocus />
          {remove.error && <FaultNote error={remove.error} />}
          <div className="row end">
            <Button onClick={() => setOpen(false)}>Cancel</Button>
            <Button type="submit" variant="filled" disabled={typed !== c.name} loading={remove.isPending}>
              Remove
            </Button>
          </div>
        </form>
      </Modal>
    </section>
  );
}
