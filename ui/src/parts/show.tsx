import './show.css';
import type { ReactNode } from 'react';
import type { Schemas } from '../api/client';
import { useZone } from '../api/session';
import { at, count, exactly, when } from '../format';

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
        {count(assigned)} <span className="quiet">of {count(purchased)}</span>
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

const monthFormat = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric', timeZone: 'UTC' });
const month = (text: string) => monthFormat.format(new Date(`${text}-01T00:00:00Z`));

interface Line {
  label: string;
  points: { month: string; y: number }[];
  value: (y: number) => string;
  /** A second line of the same months and the same measure, such as what is used of it. */
  beside?: { label: string; ys: number[] };
}

/**
 * A line of months in steps: licenses change at once, not by and by. What it draws is in a
 * table for who doesn't see it, and under the pointer, month by month.
 */
export function Steps({ label, points, value, beside }: Line) {
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last) return null;
  const all = [...points.map((p) => p.y), ...(beside?.ys ?? [])];
  const top = Math.max(...all, 1);
  const low = Math.min(...all, 0);
  const y = (v: number) => 32 - ((v - low) / (top - low || 1)) * 30;
  const step = 100 / points.length;
  const path = (ys: number[]) => ys.map((v, i) => `${i ? 'V' : 'M0 '}${y(v).toFixed(2)}H${((i + 1) * step).toFixed(2)}`).join('');
  const line = path(points.map((p) => p.y));
  const told = (i: number) => `${month(points[i]?.month ?? '')}: ${value(points[i]?.y ?? 0)}${beside ? `, ${beside.label.toLowerCase()} ${value(beside.ys[i] ?? 0)}` : ''}`;
  return (
    <figure className="months">
      <svg className="spark" viewBox="0 0 100 34" preserveAspectRatio="none" aria-hidden="true">
        <path className="under" d={`${line}V34H0Z`} />
        {beside && <path className="beside" d={path(beside.ys)} />}
        <path d={line} />
        {points.map((p, i) => (
          <rect key={p.month} x={i * step} width={step} y="0" height="34">
            <title>{told(i)}</title>
          </rect>
        ))}
      </svg>
      <div className="axis" aria-hidden="true">
        <span>{month(first.month)}</span>
        {last !== first && <span>{month(last.month)}</span>}
      </div>
      <table className="unseen">
        <caption>{label}</caption>
        {beside && (
          <thead>
            <tr>
              <th scope="col">Month</th>
              <th scope="col">{label}</th>
              <th scope="col">{beside.label}</th>
            </tr>
          </thead>
        )}
        <tbody>
          {points.map((p, i) => (
            <tr key={p.month}>
              <th scope="row">{month(p.month)}</th>
              <td>{value(p.y)}</td>
              {beside && <td>{value(beside.ys[i] ?? 0)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

/** Parts of a whole, side by side in a bar, and in a table for who doesn't see it. */
export function Shares({ label, parts }: { label: string; parts: { name: string; n: number; tone: Tone }[] }) {
  const whole = parts.reduce((sum, p) => sum + p.n, 0);
  if (whole === 0) return null;
  return (
    <figure className="shares">
      <div className="bar-of" aria-hidden="true">
        {parts.map((p) => p.n > 0 && <span key={p.name} className={p.tone} style={{ flexGrow: p.n }} title={`${p.name}: ${count(p.n)}`} />)}
      </div>
      <table className="unseen">
        <caption>{label}</caption>
        <tbody>
          {parts.map((p) => (
            <tr key={p.name}>
              <th scope="row">{p.name}</th>
              <td>{count(p.n)}</td>
              <td>{((100 * p.n) / whole).toFixed(1)} %</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
