import './overview.css';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { useZone } from '../../api/session';
import { add, amounts, count, day, isZero, many, money, monthly, moved, next } from '../../format';
import { Loaded, Section } from '../../parts/fault';
import { RunStatus, Shares, Status, Steps, Text, Time, triggered } from '../../parts/show';
import { hasScreen } from '../../screens';

type Overview = Schemas['Overview'];

/** The first page: the verdict in one line, figures, what needs a person, what changed. */
export default function OverviewScreen() {
  const overview = useQuery({ queryKey: ['overview'], queryFn: () => got(api.GET('/overview')), refetchInterval: 30_000 });
  return (
    <div className="page overview">
      <Loaded query={overview} what="The overview">
        {(o) => {
          const setup = o.setup && o.setup.done < o.setup.of ? o.setup : undefined;
          return (
            <>
              <Verdict of={o} />
              {setup && <Setup of={setup} />}
              {o.customers > 0 && (
                <Section what="The figures">
                  <Figures of={o} />
                </Section>
              )}
              {(o.customers > 0 || o.attention.length > 0) && (
                <div className="two">
                  <Attention of={o} />
                  <div className="stack loose">
                    <Biggest of={o} />
                    <LastRuns of={o} />
                  </div>
                </div>
              )}
            </>
          );
        }}
      </Loaded>
    </div>
  );
}

function Verdict({ of: { verdict, customers } }: { of: Overview }) {
  const zone = useZone();
  const nextSync = verdict.nextSync ? ` Next sync ${next(verdict.nextSync, zone)}.` : '';
  let text: ReactNode = <>Nothing needs you.{nextSync}</>;
  if (customers === 0) text = 'Nothing is synced yet.';
  else if (verdict.waiting > 0) {
    text = (
      <>
        {many(verdict.waiting, 'change')} waiting: <b>{monthly(verdict.money)} per month</b>.
        {verdict.attention > 0 && ` ${many(verdict.attention, 'thing')} need${verdict.attention === 1 ? 's' : ''} attention.`}
      </>
    );
  } else if (verdict.attention > 0) {
    text = `${many(verdict.attention, 'thing')} need${verdict.attention === 1 ? 's' : ''} attention. No changes are waiting.`;
  }
  return (
    <div className="between" style={{ alignItems: 'flex-start' }}>
      <h1 className="verdict">{text}</h1>
      {verdict.waiting > 0 && hasScreen('/approvals') && <Link to="/approvals">Review changes</Link>}
    </div>
  );
}

const steps: Record<Schemas['SetupStepName'], string> = {
  connectwise: 'Connect ConnectWise',
  notifications: 'Say what you want to be told',
  profiles: 'Make billing profiles',
  microsoft: 'Connect Microsoft',
  customers: 'Match customers',
  links: 'Link licenses',
  firstSync: 'Sync for the first time',
};

function Setup({ of }: { of: Schemas['Setup'] }) {
  return (
    <section style={{ margin: '20px 0 28px', maxWidth: 560 }} aria-labelledby="setup">
      <div className="between">
        <h2 id="setup">
          Set-up, {of.done} of {of.of} done
        </h2>
        {hasScreen('/setup') && <Link to="/setup">Open set-up</Link>}
      </div>
      <ol className="list">
        {of.steps.map((s) => (
          <li key={s.step}>
            <span>
              {steps[s.step]}
              {s.text && <div className="small quiet">{s.text}</div>}
            </span>
            <Status tone={s.state === 'done' ? 'ok' : s.state === 'todo' ? 'held' : 'none'}>
              {s.state === 'done' ? 'Done' : s.state === 'todo' ? 'To do' : 'Skipped'}
            </Status>
          </li>
        ))}
      </ol>
      {of.administrators.length > 0 && !hasScreen('/setup') && <p className="small quiet">{of.administrators.join(', ')} can finish it.</p>}
    </section>
  );
}

/** One currency of amounts as a number for drawing; its exact text is beside it. */
const drawn = (all: Schemas['Amount'][], currency: string) => Number(all.find((a) => a.currency === currency)?.amount ?? 0);

function since(now: Schemas['Amount'][], before: Schemas['Amount'][]): string {
  const changes = now.flatMap((a) => {
    const was = before.find((b) => b.currency === a.currency)?.amount ?? '0';
    const by = add(a.amount, was.startsWith('-') ? was.slice(1) : `-${was}`);
    return isZero(by) ? [] : [moved(by, a.currency)];
  });
  return changes.length ? `${changes.join(', ')} since last month` : 'As last month';
}

function Figures({ of: o }: { of: Overview }) {
  const trends = useQuery({ queryKey: ['overview', 'trends'], queryFn: () => got(api.GET('/overview/trends')), staleTime: 300_000 });
  const points = trends.data?.points ?? [];
  const now = points.at(-1);
  const currency = o.billed.amounts[0]?.currency ?? points.at(-1)?.billed[0]?.currency ?? '';
  const line = (label: string, y: (p: Schemas['TrendPoint']) => number, value: (y: number) => string) => (
    <Steps label={label} points={points.map((p) => ({ month: p.month, y: y(p) }))} value={value} />
  );
  const cash = (y: number) => money(String(y), currency);
  return (
    <div className="four">
      <div>
        <span>Billed per month</span>
        <b>{amounts(o.billed.amounts)}</b>
        <span>{since(o.billed.amounts, o.billed.before)}</span>
        {line('Billed by month', (p) => drawn(p.billed, currency), cash)}
      </div>
      <div>
        <span>Unused per month</span>
        <b>{amounts(o.unused.amounts)}</b>
        <span>{o.unused.seats === undefined ? since(o.unused.amounts, o.unused.before) : many(o.unused.seats, 'seat')}</span>
        {line('Value of unused seats by month', (p) => drawn(p.unused, currency), cash)}
      </div>
      <div>
        <span>Licenses purchased</span>
        <b>{count(o.coverage.purchased)}</b>
        <span>
          {many(o.customers, 'customer')}
          {now && `, ${count(now.billedSeats)} seats billed`}
        </span>
        <Steps label="Purchased" points={points.map((p) => ({ month: p.month, y: p.purchased }))} value={count} beside={{ label: 'Billed', ys: points.map((p) => p.billedSeats) }} />
      </div>
      <div>
        <span>Coverage</span>
        <b>{Number(o.coverage.percent).toFixed(1)} % linked</b>
        <span>
          {o.coverage.unlinked > 0 && hasScreen('/links') ? (
            <Link to="/links" search={{ only: 'notLinked' } as never}>
              {count(o.coverage.unlinked)} not linked
            </Link>
          ) : (
            `${count(o.coverage.unlinked)} not linked`
          )}
        </span>
        <Shares
          label="Coverage of the purchased licenses"
          parts={[
            { name: 'Linked', n: o.coverage.linked, tone: 'ok' },
            { name: 'Not linked', n: o.coverage.unlinked, tone: 'warn' },
          ]}
        />
      </div>
    </div>
  );
}

/** Where a thing that needs attention is dealt with. */
function place(a: Schemas['AttentionItem']): { to: string; search?: Record<string, string> } | undefined {
  if (a.connection !== undefined) return { to: '/connections' };
  if (a.code === 'unlinkedLicenses' || a.code === 'unlinked_licenses') return { to: '/links', search: { only: 'notLinked' } };
  if (a.link) return { to: '/approvals', search: { open: a.link } };
  if (a.customer) return { to: '/customers/$customer' };
  return undefined;
}

function Attention({ of: o }: { of: Overview }) {
  return (
    <section aria-labelledby="attention">
      <h2 id="attention">Needs attention</h2>
      {o.attention.length === 0 && <p className="quiet">Nothing needs you.</p>}
      <ul className="list">
        {o.attention.map((a, i) => {
          const p = place(a);
          const known = p && hasScreen(p.to);
          return (
            <li key={i}>
              <div>
                <Text>{a.text}</Text>
                <div className="small quiet">
                  {a.money && a.money.length > 0 && `${monthly(a.money)} per month. `}
                  {a.by && `Until ${day(a.by)}. `}
                  {!known && a.action}
                </div>
              </div>
              {known && (
                <Link to={p.to} params={{ customer: String(a.customer?.id ?? '') } as never} search={(p.search ?? {}) as never}>
                  {a.action}
                </Link>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** How much a change moves, for drawing; its exact text is beside it. */
const size = (c: Schemas['Change']) => Math.abs(Number(c.money.monthly));

function Biggest({ of: o }: { of: Overview }) {
  const most = Math.max(...o.biggest.map(size), 1);
  return (
    <section aria-labelledby="biggest">
      <h2 id="biggest">Biggest changes in 30 days</h2>
      {o.biggest.length === 0 && <p className="quiet">Nothing was changed.</p>}
      <ul className="list">
        {o.biggest.map((c, i) => (
          <li key={c.id ?? i}>
            <div className="clip">
              <Text>{c.license}</Text>
              <div className="small quiet clip">
                <Text>{c.agreement?.name}</Text>
              </div>
              <div className="weight" aria-hidden="true" style={{ width: `${(100 * size(c)) / most}%` }} />
            </div>
            <b>{moved(c.money.monthly, c.money.currency)}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}

function LastRuns({ of: o }: { of: Overview }) {
  return (
    <section aria-labelledby="runs">
      <div className="between">
        <h2 id="runs">Last syncs</h2>
        {hasScreen('/history') && <Link to="/history">All of them</Link>}
      </div>
      {o.lastRuns.length === 0 && <p className="quiet">Nothing was synced yet.</p>}
      <ul className="list">
        {o.lastRuns.map((r) => (
          <li key={r.id}>
            <div className="clip">
              <Text>{r.customer.name}</Text>
              <div className="small quiet clip">
                {triggered(r)}, <Time at={r.startedAt} />
              </div>
            </div>
            <RunStatus status={r.status} />
          </li>
        ))}
      </ul>
    </section>
  );
}
