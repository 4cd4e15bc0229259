import { Button, Drawer } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { useMe } from '../../api/session';
import { count } from '../../format';
import { Copy } from '../../parts/checks';
import { FaultNote, Loaded, State } from '../../parts/fault';
import { Status, type Tone, Text, Time } from '../../parts/show';
import type { Connection } from './data';

type Consent = Schemas['TenantConsent'];
const states: Record<Consent['state'], [Tone, string]> = { done: ['ok', 'Consented'], failed: ['bad', 'Refused'], running: ['change', 'Running'], waiting: ['held', 'Waiting'] };

/** The tenants that a partner's connection reaches, and whether each lets the app in. */
export default function Tenants({ connection: c, onClose }: { connection: Connection; onClose: () => void }) {
  const { may } = useMe();
  const queries = useQueryClient();
  const path = { connection: c.id };
  const tenants = useQuery({ queryKey: ['connections', c.id, 'tenants'], queryFn: () => got(api.GET('/connections/{connection}/tenants', { params: { path } })), staleTime: 60_000, retry: false });
  const consents = useQuery({
    queryKey: ['connections', c.id, 'consents'],
    queryFn: () => got(api.GET('/connections/{connection}/consents', { params: { path } })),
    refetchInterval: (q) => (q.state.data?.items.some((k) => k.state === 'running' || k.state === 'waiting') ? 2_000 : false),
  });
  const start = useMutation({
    mutationFn: () => got(api.POST('/connections/{connection}/consents', { params: { path }, body: {} })),
    onSuccess: (now) => queries.setQueryData(['connections', c.id, 'consents'], now),
  });
  const of = new Map(consents.data?.items.map((k) => [k.tenant, k]));
  const works = consents.data?.items.some((k) => k.state === 'running' || k.state === 'waiting');
  return (
    <Drawer opened onClose={onClose} title={`Tenants of ${c.name}`} size={720}>
      <div className="stack loose">
        {may('admin') && (
          <div className="between">
            <span className="quiet" role="status">
              {consents.data && consents.data.of > 0 && `${count(consents.data.done)} of ${count(consents.data.of)} consented`}
            </span>
            <Button onClick={() => start.mutate()} loading={start.isPending || works}>
              {c.kind === 'partnerApp' ? 'Check all tenants' : 'Consent all tenants'}
            </Button>
          </div>
        )}
        {start.error && <FaultNote error={start.error} />}
        {consents.error && <FaultNote error={consents.error} onRetry={() => void consents.refetch()} />}
        <Loaded query={tenants} what="The tenants" rows={6}>
          {({ items, readAt }) =>
            items.length === 0 ? (
              <State title="No tenant is reached">Microsoft lists no customer for this partner.</State>
            ) : (
              <>
                <table className="lines">
                  <thead>
                    <tr>
                      <th scope="col">Tenant</th>
                      <th scope="col">Customer</th>
                      <th scope="col">Consent</th>
                    </tr>
                  </thead>
                  <tbody>
                    {items.slice(0, 500).map((t) => (
                      <Row key={t.id} tenant={t} consent={of.get(t.id)} link={may('admin') && c.kind === 'partnerApp'} />
                    ))}
                  </tbody>
                </table>
                <p className="small quiet">
                  {items.length > 500 && `500 of ${count(items.length)} are shown. `}Read <Time at={readAt} />.
                </p>
              </>
            )
          }
        </Loaded>
      </div>
    </Drawer>
  );
}

function Row({ tenant: t, consent: k, link }: { tenant: Schemas['Tenant']; consent?: Consent; link: boolean }) {
  const make = useMutation({
    mutationFn: (customer: number) => got(api.POST('/connections/{connection}/consent-links', { params: { path: { connection: t.connection } }, body: { customer, tenant: t.id } })),
  });
  const [shown, setShown] = useState(false);
  const customer = t.customer?.id ?? 0;
  return (
    <tr>
      <td>
        <Text>{t.name}</Text>
        <div className="small quiet">
          <Text>{t.domain ?? t.id}</Text>
        </div>
        {!t.delegated && <div className="small" style={{ color: 'var(--warn)' }}>No delegated relationship lets us read it.</div>}
        {t.relationshipEnds && (
          <div className="small quiet">
            The relationship ends <Time at={t.relationshipEnds} />
          </div>
        )}
      </td>
      <td>{customer > 0 ? <Text>{t.customer?.name}</Text> : <span className="quiet">Not added</span>}</td>
      <td>
        {k ? <Status tone={states[k.state][0]}>{states[k.state][1]}</Status> : <span className="quiet">Not asked</span>}
        {k?.state === 'failed' && (
          <div className="small quiet">
            <Text>{k.text}</Text> <Text>{k.action}</Text>
          </div>
        )}
        {link && customer > 0 && k?.state !== 'done' && (
          <div style={{ paddingTop: 4 }}>
            {make.data && shown ? (
              <Copy text={make.data.location}>Copy the link</Copy>
            ) : (
              <Button
                loading={make.isPending}
                onClick={() => {
                  setShown(true);
                  make.mutate(customer);
                }}
              >
                Make a consent link
              </Button>
            )}
            {make.data && (
              <div className="small quiet">
                For an administrator of this customer, until <Time at={make.data.ends} full />.
              </div>
            )}
          </div>
        )}
        {make.error && <FaultNote error={make.error} />}
      </td>
    </tr>
  );
}
