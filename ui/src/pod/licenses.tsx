import { useEffect, useMemo, useRef, useState } from 'react';
import { count, many, next } from '../format';
import { Bar, type Outcome } from './bar';
import { History } from './history';
import { useFresh, useSync } from './live';
import type { View } from './model';
import type { Pod } from './pod';
import { agreementsOf, amongAll, busy, countsOf, firstTab, outcomeOf, rowsOf, seatsOf, stepOf, sumOf, type Tab, tabs, tabWords, unusedMoney, verdictOf, waits } from './rows';
import { Button, FaultNote, Note, Outward, Text, Time, useDo, zone } from './show';
import { Table } from './table';

/** The licenses of a record: the verdict, the tabs, the table, and what is done with it. */
export function Licenses({ pod, view }: { pod: Pod; view: View }) {
  const [tab, setTab] = useState<Tab>(() => firstTab(view));
  const [text, setText] = useState('');
  const [agreement, setAgreement] = useState<number>();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [open, setOpen] = useState<string>();
  const [outcome, setOutcome] = useState<Outcome>();
  const filter = useRef<HTMLInputElement>(null);
  const seen = useRef(view);
  seen.current = view;

  const approved = useRef<string[]>([]);
  const [sync, setSync] = useSync(pod, view.sync, () => {
    const links = approved.current;
    approved.current = [];
    void pod.written().then(
      () => {
        const now = pod.state.at === 'view' ? pod.state.view : seen.current;
        setOutcome((was) => (links.length ? { kind: 'applied', ...outcomeOf(now, links), sum: was?.sum } : was?.kind === 'syncing' ? { kind: 'synced', waiting: now.verdict.waiting } : was));
      },
      () => {},
    );
  });
  useFresh(pod);

  const shown = rowsOf(view, { tab, text, agreement });
  const broken = view.connections.filter((c) => c.health.state === 'broken');
  const approves = view.rights.approve && broken.length === 0;
  const selected = useMemo(() => view.licenses.filter((l) => chosen.has(l.id) && waits(l) && l.plan.approvable), [view, chosen]);
  const put = (ids: string[]) => setChosen(new Set(ids));

  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey || (e.target instanceof HTMLElement && /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName) && e.key !== 'Escape')) return;
      if (e.key === '/') {
        e.preventDefault();
        filter.current?.focus();
      } else if (e.key === 'a' && approves) put(rowsOf(seen.current, { tab, text, agreement }).filter(amongAll).map((l) => l.id));
      else if (e.key === 'Escape') {
        if (open) setOpen(undefined);
        else put([]);
      }
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  }, [open, tab, text, agreement, approves]);

  const begin = (links: string[] = [], sum?: string) => {
    approved.current = links;
    setOutcome(links.length ? { kind: 'writing', links, sum } : { kind: 'syncing' });
    setSync((s) => (s ? { ...s, state: 'due' } : s));
  };
  const panel = `panel-${tab}`;
  return (
    <main className="pod">
      <Head pod={pod} view={view} sync={sync} onSync={() => begin()} />
      {broken.map((c) => (
        <Note key={`${c.kind}${c.name}`} kind="bad" action={view.rights.setUp && <Outward to="/connections" className="button">Reconnect</Outward>}>
          <Text>{c.health.text ?? `${c.name} refuses the connection.`}</Text> {c.health.action} {c.health.checked && <>These numbers may be older than <Time at={c.health.checked} />.</>}
        </Note>
      ))}
      <Tabs
        tab={tab}
        onTab={(t) => {
          setTab(t);
          setOpen(undefined);
        }}
        counts={countsOf(view, agreement)}
      >
        {view.record.screen === 'company' && <Agreements view={view} value={agreement} onChange={setAgreement} />}
        <input ref={filter} type="search" className="filter" aria-label="Filter licenses" placeholder="Filter" value={text} onChange={(e) => setText(e.currentTarget.value)} />
      </Tabs>
      <div className="body" role="tabpanel" id={panel} aria-label={tabWords[tab]} tabIndex={-1}>
        {tab === 'history' ? (
          <History pod={pod} first={view.runs} />
        ) : (
          <Table pod={pod} view={view} rows={shown} chosen={chosen} onChoose={put} open={open} onOpen={setOpen} approves={approves} onBegin={begin} empty={emptyWords(tab, text, view)} />
        )}
        {tab !== 'history' && view.totals.licenses > view.licenses.length && (
          <p className="quiet more">
            {count(view.licenses.length)} of {many(view.totals.licenses, 'license')} are shown. <Outward to={`/links?company=${view.record.company.id}`}>Show all in the dashboard</Outward>
          </p>
        )}
      </div>
      <Bar pod={pod} selected={selected} outcome={outcome} sync={sync} onClear={() => put([])} onClose={() => setOutcome(undefined)} onBegin={begin} sum={sumOf(selected)} onShow={() => setTab('attention')} />
      {!view.rights.approve && view.licenses.some(waits) && <p className="foot quiet">You can look but not approve.</p>}
    </main>
  );
}

function emptyWords(tab: Tab, text: string, view: View): string {
  if (text) return 'No license is like that.';
  if (tab === 'changes') return 'No changes wait.';
  if (tab === 'attention') return 'Nothing needs you.';
  if (tab === 'unused') return 'Every seat is assigned.';
  return view.record.screen === 'agreement' ? 'No license is linked to this agreement, and none is left to link.' : 'Microsoft lists no licenses here.';
}

function Head({ pod, view, sync, onSync }: { pod: Pod; view: View; sync: View['sync']; onSync: () => void }) {
  const verdict = verdictOf(view);
  const runs = busy(sync);
  const { busy: asking, fault, run } = useDo();
  const n = seatsOf(view);
  return (
    <>
      <div className="head">
        <div>
          <h1>
            {verdict.text} {verdict.money && <span className="sum">{verdict.money}</span>}
          </h1>
          <div className="facts">
            <span>
              <b>{count(n.purchased)}</b> purchased
            </span>
            <span>
              <b>{count(n.assigned)}</b> assigned
            </span>
            {n.unused > 0 && (
              <span>
                <b>{count(n.unused)}</b> unused{unusedMoney(view)}
              </span>
            )}
            <Wide pod={pod} view={view} />
          </div>
        </div>
        <div className="row">
          <span className="quiet synced">
            {sync?.lastAt && (
              <>
                Synced <Time at={sync.lastAt} />
              </>
            )}
          </span>
          {view.rights.sync && (
            <Button
              disabled={runs || asking}
              title={view.record.screen === 'agreement' ? 'The whole company is read and written' : undefined}
              onClick={() =>
                void run(async () => {
                  await pod.ask('POST', '/embed/sync');
                  onSync();
                })
              }
            >
              {runs || asking ? 'Syncing…' : 'Sync now'}
            </Button>
          )}
        </div>
      </div>
      {runs && sync && <Progress pod={pod} view={view} sync={sync} />}
      <FaultNote fault={fault} />
      {!runs && sync?.lastStatus === 'failed' && <Note kind="bad">The last sync failed, so nothing was changed. {sync.lastError && <Text>{sync.lastError}</Text>}</Note>}
      {view.verdict.observing && <Note kind="info">Trueup only observes here: nothing is written without an approval.</Note>}
      {!view.checked && <Note kind="info">You signed in yourself: ConnectWise did not check that you may see this record.</Note>}
      {view.verdict.waiting === 0 && view.verdict.nextSync && !runs && <p className="unseen">The next sync is {next(view.verdict.nextSync, zone)}.</p>}
    </>
  );
}

function Progress({ pod, view, sync }: { pod: Pod; view: View; sync: NonNullable<View['sync']> }) {
  const { busy: asking, run } = useDo();
  return (
    <div className="progress">
      <span role="status">
        {stepOf(sync)}
        {sync.startedBy && <span className="quiet">, started by {sync.startedBy}</span>}
      </span>
      {view.rights.sync && (
        <Button kind="link" disabled={asking} onClick={() => void run(async () => void (await pod.ask('POST', '/embed/sync/cancel')))}>
          Stop
        </Button>
      )}
      <progress aria-label="Sync" value={sync.of ? (sync.done ?? 0) : undefined} max={sync.of || undefined} />
    </div>
  );
}

/** On an agreement: all that its company has, read with a session of its own. */
function Wide({ pod, view }: { pod: Pod; view: View }) {
  const [refused, setRefused] = useState(false);
  const wide = view.record.screen === 'company';
  if (pod.stands?.screen !== 'agreement' || refused) return null;
  return (
    <Button kind="link" onClick={() => void pod.widen(!wide).then((done) => setRefused(!done))}>
      {wide ? 'This agreement only' : 'All agreements'}
    </Button>
  );
}

function Agreements({ view, value, onChange }: { view: View; value?: number; onChange: (id?: number) => void }) {
  const all = agreementsOf(view);
  if (all.length === 0) return null;
  return (
    <select className="agreements" aria-label="Agreement" value={value ?? ''} onChange={(e) => onChange(e.currentTarget.value === '' ? undefined : Number(e.currentTarget.value))}>
      <option value="">All agreements ({all.length})</option>
      {all.map((a) => (
        <option key={a.id} value={a.id}>
          {a.name} #{a.id}
        </option>
      ))}
      <option value={0}>Not on an agreement</option>
    </select>
  );
}

function Tabs({ tab, onTab, counts, children }: { tab: Tab; onTab: (t: Tab) => void; counts: ReturnType<typeof countsOf>; children: React.ReactNode }) {
  const list = useRef<HTMLDivElement>(null);
  const move = (e: React.KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    e.preventDefault();
    const to = (tabs.indexOf(tab) + step + tabs.length) % tabs.length;
    onTab(tabs[to] as Tab);
    (list.current?.children[to] as HTMLElement | undefined)?.focus();
  };
  return (
    <div className="tabs">
      <div role="tablist" aria-label="Licenses" ref={list} onKeyDown={move}>
        {tabs.map((t) => (
          <button key={t} type="button" role="tab" aria-selected={t === tab} aria-controls={t === tab ? `panel-${t}` : undefined} tabIndex={t === tab ? 0 : -1} onClick={() => onTab(t)}>
            {tabWords[t]} {t !== 'history' && <span className={t === 'attention' && counts.attention > 0 ? 'count bad' : 'count'}>{counts[t]}</span>}
          </button>
        ))}
      </div>
      {children}
    </div>
  );
}

