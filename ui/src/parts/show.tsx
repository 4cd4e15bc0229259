import type { ReactNode } from 'react';
import type { Schemas } from '../api/client';
import { useZone } from '../api/session';
import { at, exactly, when } from '../format';

/** Text from outside, alone in its writing direction. */
export const Text = ({ children }: { children: ReactNode }) => <bdi>{children}</bdi>;

export function Time({ at: time, full = false }: { at: string; full?: boolean }) {
  const zone = useZone();
  return (
    <time dateTime={time} title={exactly(time, zone)}>
      {full ? at(time, zone) : when(time, zone)}
    </time>
  );
}

export type Tone = 'ok' | 'change' | 'warn' | 'bad' | 'held' | 'none';
export const Status = ({ tone, children }: { tone: Tone; children: ReactNode }) => <span className={`status ${tone}`}>{children}</span>;

const states: Record<Schemas['LicenseState'], [Tone, string]> = {
  unlinked: ['warn', 'Not linked'],
  linked: ['ok', 'In sync'],
  changes: ['change', 'Change'],
  attention: ['bad', 'Needs attention'],
  doNotBill: ['none', 'Not billed'],
  gone: ['none', 'Gone'],
};
export function LicenseStatus({ state }: { state: Schemas['LicenseState'] }) {
  const [tone, word] = states[state];
  return <Status tone={tone}>{word}</Status>;
}

const runs: Record<Schemas['RunStatus'], [Tone, string]> = {
  running: ['change', 'Running'],
  done: ['ok', 'Done'],
  held: ['held', 'Held'],
  failed: ['bad', 'Failed'],
  stopped: ['none', 'Stopped'],
};
export function RunStatus({ status }: { status: Schemas['RunStatus'] }) {
  const [tone, word] = runs[status];
  return <Status tone={tone}>{word}</Status>;
}

export const triggers: Record<Schemas['Trigger'], string> = {
  onDemand: 'On demand',
  approval: 'Approval',
  callback: 'Change in ConnectWise',
  nightly: 'Nightly',
};

export const triggered = (r: { trigger: Schemas['Trigger']; by?: string }) => (r.by ? `${triggers[r.trigger]}, ${r.by}` : triggers[r.trigger]);

/** 87 of 100 with a bar. */
export function Seats({ assigned, purchased }: { assigned: number; purchased: number }) {
  return (
    <span className="seats">
      <span>
        {assigned} <span className="quiet">of {purchased}</span>
      </span>
      <progress aria-hidden="true" tabIndex={-1} value={Math.min(assigned, purchased)} max={Math.max(purchased, 1)} />
    </span>
  );
}

/** 84 → 87, and "84 becomes 87" to who hears it. */
export function Becomes({ from, to }: { from: number | string; to: number | string }) {
  if (String(from) === String(to)) return <span>{to}</span>;
  return (
    <span>
      <span aria-hidden="true">
        <span className="quiet">{from} →</span> <b>{to}</b>
      </span>
      <span className="unseen">
        {from} becomes {to}
      </span>
    </span>
  );
}

/** Opens something in ConnectWise; only addresses of the web. */
export function Outward({ to, children }: { to?: string; children: ReactNode }) {
  if (!to || !/^https?:\/\//i.test(to)) return <>{children}</>;
  return (
    <a href={to} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

/** A line of months in steps: licenses change at once, not by and by. */
export function Steps({ label, points, value }: { label: string; points: { month: string; y: number }[]; value: (y: number) => string }) {
  if (points.length < 2) return null;
  const top = Math.max(...points.map((p) => p.y), 1);
  const low = Math.min(...points.map((p) => p.y), 0);
  const y = (v: number) => 32 - ((v - low) / (top - low || 1)) * 30;
  const step = 100 / points.length;
  const line = points.map((p, i) => `${i ? 'V' : 'M0 '}${y(p.y).toFixed(2)}H${((i + 1) * step).toFixed(2)}`).join('');
  return (
    <figure style={{ margin: 0 }}>
      <svg className="spark" viewBox="0 0 100 34" preserveAspectRatio="none" aria-hidden="true">
        <path className="under" d={`${line}V34H0Z`} />
        <path d={line} />
      </svg>
      <table className="unseen">
        <caption>{label}</caption>
        <tbody>
          {points.map((p) => (
            <tr key={p.month}>
              <th scope="row">{p.month}</th>
              <td>{value(p.y)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
