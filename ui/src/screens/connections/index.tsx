import './connections.css';
import { Button, Menu } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { useMe, useZone } from '../../api/session';
import { at, many } from '../../format';
import { FaultNote, Loaded, State } from '../../parts/fault';
import { useFilters } from '../../parts/search';
import { Status, Text, Time } from '../../parts/show';
import { openTab, useConsent, type Waiting } from './consent';
import { type Connection, connectionsQuery, isPartner, kindWords, wantsSignIn } from './data';
import { Found, Secrets } from './evidence';
import { InManage } from './installation';
import { refusal } from './refusal';
import { Returned } from './returned';

const ConnectionDrawer = lazy(() => import('./drawer'));
const Remove = lazy(() => import('./drawer').then((m) => ({ default: m.Remove })));
const Tenants = lazy(() => import('./consents'));

type Open = { what: 'add'; fresh: 'manage' | 'microsoft' } | { what: 'edit' | 'remove' | 'tenants'; connection: Connection };

/** The ways to ConnectWise and to Microsoft: whether each works, until when, and who depends on it. */
export default function ConnectionsScreen() {
  const { may } = useMe();
  const [search, set] = useFilters();
  const connections = useQuery({ ...connectionsQuery, refetchInterval: 60_000 });
  const consent = useConsent('connections');
  const [open, setOpen] = useState<Open>();
  if (search.consent) return <Returned search={search} onGoOn={() => set({ consent: undefined, code: undefined, connection: undefined })} />;
  const close = () => setOpen(undefined);
  const all = connections.data?.items ?? [];
  const admin = may('admin');
  const add = (fresh: 'manage' | 'microsoft') => setOpen({ what: 'add', fresh });
  return (
    <div className="page">
      <header className="page-head">
        <h1>Connections</h1>
        {admin && (
          <div className="row">
            {connections.data && !all.some((c) => c.kind === 'manage') && <Button onClick={() => add('manage')}>Connect ConnectWise</Button>}
            <Button onClick={() => add('microsoft')}>Add a Microsoft connection</Button>
          </div>
        )}
      </header>
      {consent.begin.error && <FaultNote error={consent.begin.error} />}
      <Loaded query={connections} what="The connections">
        {({ items }) =>
          items.length === 0 ? (
            <State title="Nothing is connected yet" action={admin && <Button onClick={() => add('manage')}>Connect ConnectWise</Button>}>
              Trueup needs ConnectWise, and a connection to Microsoft.
            </State>
          ) : (
            <ul className="connections">
              {items.map((c) => (
                <One
                  key={c.id}
                  connection={c}
                  waiting={consent.is?.connection === c.id ? consent.is : undefined}
                  onStop={consent.stop}
                  onSignIn={() => consent.begin.mutate({ id: c.id, tab: openTab() })}
                  open={(what) => setOpen({ what, connection: c })}
                />
              ))}
            </ul>
          )
        }
      </Loaded>
      {all.some((c) => c.kind === 'manage') && <InManage />}
      <Suspense>
        {open?.what === 'add' && <ConnectionDrawer fresh={open.fresh} onClose={close} onSignIn={(saved, tab) => consent.begin.mutate({ id: saved.connection.id, tab })} />}
        {open?.what === 'edit' && <ConnectionDrawer id={open.connection.id} onClose={close} onSignIn={() => undefined} />}
        {open?.what === 'remove' && <Remove connection={open.connection} onClose={close} />}
        {open?.what === 'tenants' && <Tenants connection={open.connection} onClose={close} />}
      </Suspense>
    </div>
  );
}

/** Days until something ends; below thirty it is said loudly. */
const daysUntil = (time: string) => Math.ceil((Date.parse(time) - Date.now()) / 86_400_000);

function Expires({ time }: { time: string }) {
  const zone = useZone();
  const days = daysUntil(time);
  const text = days < 0 ? `Expired ${at(time, zone)}` : `Expires ${at(time, zone)}${days <= 60 ? `, in ${many(days, 'day')}` : ''}`;
  return <div className={days < 30 ? 'small warned' : 'small quiet'}>{text}</div>;
}

function HealthOf({ connection: c }: { connection: Connection }) {
  const h = c.health;
  if (wantsSignIn(c) && h.state !== 'broken') return <Status tone="warn">Nobody signed in</Status>;
  if (h.state === 'healthy') return <Status tone="ok">Works</Status>;
  if (h.state === 'broken') return <Status tone="bad">Broken</Status>;
  return <Status tone="none">Not tested</Status>;
}

interface OneProps {
  connection: Connection;
  waiting?: Waiting;
  onSignIn: () => void;
  onStop: () => void;
  open: (what: 'edit' | 'remove' | 'tenants') => void;
}

const where = (c: Connection) => (c.kind === 'manage' ? [c.site, c.company] : [c.about?.organization ?? c.tenant, c.username ?? c.about?.signedInAs]).filter(Boolean).join(', ');

function One({ connection: c, waiting, onSignIn, onStop, open }: OneProps) {
  const { may } = useMe();
  const queries = useQueryClient();
  const [found, setFound] = useState<Schemas['TestResult']>();
  const test = useMutation({
    mutationFn: () => got(api.POST('/connections/{connection}/test', { params: { path: { connection: c.id } } })),
    onSuccess: async (is) => {
      setFound(is);
      await Promise.all(['connections', 'setup', 'overview'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
    },
  });
  const admin = may('admin');
  const code = waiting?.code ?? (wantsSignIn(c) ? c.health.code : undefined);
  const [what, action] = code ? refusal(code, c) : [c.health.text, c.health.action];
  return (
    <li aria-label={c.name}>
      <div className="connection">
        <div>
          <h2>
            <Text>{c.name}</Text>
          </h2>
          <div className="small quiet">
            {kindWords[c.kind]}
            {where(c) && (
              <>
                , <Text>{where(c)}</Text>
              </>
            )}
          </div>
          <Secrets secrets={c.secrets} />
        </div>
        <div>
          <HealthOf connection={c} />
          {c.health.checked && (
            <div className="small quiet">
              Tested <Time at={c.health.checked} />
            </div>
          )}
          {c.health.expires && <Expires time={c.health.expires} />}
          <div className="small quiet">
            {c.kind === 'manage' ? 'All customers use it' : c.customers > 0 ? <Link to="/customers" search={{ connection: String(c.id) } as never}>{many(c.customers, 'customer')} {c.customers === 1 ? 'uses' : 'use'} it</Link> : 'No customer uses it'}
          </div>
        </div>
        <div className="row wrap end">
          {may('technician') && (
            <Button onClick={() => test.mutate()} loading={test.isPending}>
              Test
            </Button>
          )}
          {admin && c.kind === 'partnerConsent' && <Button onClick={onSignIn}>{wantsSignIn(c) ? 'Sign in' : 'Reconnect'}</Button>}
          {isPartner(c.kind) && <Button onClick={() => open('tenants')}>Tenants</Button>}
          {admin && <Button onClick={() => open('edit')}>{c.kind === 'manage' ? 'Change keys' : 'Rotate secret'}</Button>}
          {admin && (
            <Menu position="bottom-end" withInitialFocusPlaceholder={false}>
              <Menu.Target>
                <Button aria-label={`More for ${c.name}`}>…</Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item onClick={() => open('edit')}>Edit</Menu.Item>
                <Menu.Item onClick={() => open('remove')}>Remove…</Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
        </div>
      </div>
      {waiting && !waiting.over && (
        <div className="note info" role="status">
          <div>
            Waiting for Microsoft. Sign in there in the other tab.{' '}
            {waiting.location && (
              <a href={waiting.location} target="_blank" rel="noopener noreferrer">
                No tab opened? Open Microsoft
              </a>
            )}
          </div>
          <Button onClick={onStop}>Stop waiting</Button>
        </div>
      )}
      {(c.health.state === 'broken' || waiting?.code) && !(waiting && !waiting.over) && (
        <div className="note bad" role="alert">
          <div>
            <Text>{what}</Text> <Text>{action}</Text>
            {(waiting?.code ?? c.health.code) && <div className="small">{waiting?.code ?? c.health.code}</div>}
          </div>
        </div>
      )}
      {test.error && <FaultNote error={test.error} />}
      {found && (
        <div className="found">
          <Found test={found} subject={kindWords[c.kind]} onDone={() => setFound(undefined)} />
        </div>
      )}
    </li>
  );
}
