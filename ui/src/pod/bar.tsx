import { useEffect, useState } from 'react';
import { many } from '../format';
import type { License, Schemas, SyncState } from './model';
import type { Pod } from './pod';
import { since } from './rows';
import { Button, FaultNote, takesFocus, Text, today, useDo } from './show';

/** What the last action came to; it stays until it is closed or the next one begins. */
export type Outcome =
  | { kind: 'syncing'; sum?: undefined }
  | { kind: 'synced'; waiting: number; sum?: undefined }
  | { kind: 'writing'; links: string[]; sum?: string }
  | { kind: 'applied'; written: number; left: License[]; sum?: string };

interface Props {
  pod: Pod;
  selected: License[];
  sum: string;
  outcome?: Outcome;
  sync?: SyncState;
  onClear: () => void;
  onClose: () => void;
  onShow: () => void;
  onBegin: (links: string[], sum?: string) => void;
}

const choices = (of: License[]): Schemas['PlanChoice'][] => of.flatMap((l) => (l.plan ? [{ link: l.plan.link, fingerprint: l.plan.fingerprint }] : []));

/** What is selected and what is done with it. It asks once more before anything is written. */
export function Bar({ pod, selected, sum, outcome, sync, onClear, onClose, onShow, onBegin }: Props) {
  const [step, setStep] = useState<'choose' | 'confirm' | 'hold'>('choose');
  const [moved, setMoved] = useState<Schemas['ApprovalResult'][]>([]);
  const { busy, fault, run } = useDo();
  const none = selected.length === 0;
  useEffect(() => {
    if (none) setStep('choose');
    else setMoved([]);
  }, [none]);
  useEffect(() => {
    const back = (e: KeyboardEvent) => e.key === 'Escape' && setStep('choose');
    addEventListener('keydown', back);
    return () => removeEventListener('keydown', back);
  }, []);

  const approve = () =>
    run(async () => {
      const { results } = await pod.ask<{ results: Schemas['ApprovalResult'][] }>('POST', '/approvals/approve', { plans: choices(selected) });
      const good = results.filter((r) => r.result === 'approved').map((r) => r.link);
      setMoved(results.filter((r) => r.result !== 'approved'));
      onClear();
      if (good.length) onBegin(good, good.length === results.length ? sum : undefined);
      else await pod.read();
    });

  if (none) {
    if (moved.length) return <Moved of={moved} onClose={() => setMoved([])} />;
    return <Told outcome={outcome} sync={sync} onClose={onClose} onShow={onShow} />;
  }
  const from = since(selected);
  return (
    <div className="foot-stack">
      <FaultNote fault={fault} />
      {step === 'hold' ? (
        <Hold pod={pod} of={selected} onDone={onClear} onCancel={() => setStep('choose')} />
      ) : (
        <div className="bar" role="region" aria-label="Selection">
          {step === 'choose' ? (
            <>
              <span role="status">
                <b>{selected.length} selected</b>, {sum} per month
              </span>
              <Button onClick={onClear}>Clear</Button>
              <Button onClick={() => setStep('hold')}>Hold…</Button>
              <Button kind="main" onClick={() => setStep('confirm')}>
                Approve and apply
              </Button>
            </>
          ) : (
            <>
              <span>
                Write <b>{many(selected.length, 'quantity', 'quantities')}</b> to ConnectWise, <b>{sum} per month</b>
                {from && ` from ${from}`}?
              </span>
              <Button onClick={() => setStep('choose')}>Cancel</Button>
              <button type="button" className="main" ref={takesFocus} disabled={busy} onClick={() => void approve()}>
                Apply {selected.length}
              </button>
            </>
          )}
        </div>
      )}
    </div>
  );
}

/** Puts changes aside until a day, with a reason. */
export function Hold({ pod, of, onDone, onCancel }: { pod: Pod; of: License[]; onDone: () => void; onCancel: () => void }) {
  const [until, setUntil] = useState('');
  const [reason, setReason] = useState('');
  const { busy, fault, run } = useDo();
  return (
    <form
      className="bar wrap"
      aria-label="Hold"
      onSubmit={(e) => {
        e.preventDefault();
        void run(async () => {
          await pod.ask('POST', '/approvals/postpone', { plans: choices(of), until, reason });
          await pod.read();
          onDone();
        });
      }}
    >
      <label>
        Hold until <input type="date" required ref={takesFocus} min={today(1)} value={until} onChange={(e) => setUntil(e.currentTarget.value)} />
      </label>
      <label className="grow">
        because <input required maxLength={1000} value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
      </label>
      <Button onClick={onCancel}>Cancel</Button>
      <button type="submit" className="main" disabled={busy}>
        Hold {of.length}
      </button>
      <FaultNote fault={fault} />
    </form>
  );
}

function Moved({ of, onClose }: { of: Schemas['ApprovalResult'][]; onClose: () => void }) {
  return (
    <div className="bar warn" role="status">
      <span>
        <b>{of.length} not approved:</b>{' '}
        {of.slice(0, 3).map((r) => (
          <span key={r.link}>
            {r.plan && <Text>{r.plan.license.name}: </Text>}
            {r.result === 'moved' && r.plan ? `changed since you looked, now ${r.plan.seats.billed}. ` : `${r.text} `}
          </span>
        ))}
      </span>
      <Button onClick={onClose}>Close</Button>
    </div>
  );
}

function Told({ outcome: o, sync, onClose, onShow }: { outcome?: Outcome; sync?: SyncState; onClose: () => void; onShow: () => void }) {
  if (!o || o.kind === 'syncing') return null;
  if (o.kind === 'writing') {
    return (
      <div className="bar" role="status">
        <span>{sync?.step === 'write' && sync.of ? `${sync.done ?? 0} of ${sync.of} written…` : `${many(o.links.length, 'change')} approved, written next…`}</span>
      </div>
    );
  }
  const left = o.kind === 'applied' ? o.left : [];
  return (
    <div className={left.length ? 'bar warn' : 'bar ok'} role="status">
      <span>
        {o.kind === 'synced' && `Synced. ${o.waiting ? `${many(o.waiting, 'change')} found.` : 'Nothing waits.'}`}
        {o.kind === 'applied' && (
          <>
            <b>{o.written} applied{left.length ? `, ${left.length} not` : ''}.</b> {!left.length && o.sum && `${o.sum} per month.`}{' '}
            {left[0] && (
              <>
                <Text>{left[0].name}</Text>: <Text>{left[0].plan?.holds[0]?.text ?? 'it waits again'}</Text>
              </>
            )}
          </>
        )}
      </span>
      {left.length > 0 && <Button onClick={onShow}>Show it</Button>}
      <Button onClick={onClose}>Close</Button>
    </div>
  );
}
