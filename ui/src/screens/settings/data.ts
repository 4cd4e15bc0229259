import { queryOptions } from '@tanstack/react-query';
import { api, got, type Schemas } from '../../api/client';

export type Settings = Schemas['SettingsInput'];
export type Policy = Schemas['Policy'];

export const policyQuery = queryOptions({ queryKey: ['policy'], queryFn: () => got(api.GET('/workspace/policy')) });

/** The policy as it is typed: a bound that is empty is none. */
export interface PolicyDraft {
  seats: string;
  percent: string;
  amount: string;
  freezeDays: string;
}

const text = (v: number | string | undefined) => (v === undefined ? '' : String(v));

export const policyDraft = (p: Policy): PolicyDraft => ({
  seats: text(p.approveAbove.seats),
  percent: text(p.approveAbove.percent),
  amount: text(p.approveAbove.amount),
  freezeDays: text(p.freezeDays),
});

const isWhole = (t: string) => /^\d{1,6}$/.test(t);

/** What is wrong with the policy, by field. */
export function policyFaults(d: PolicyDraft): Partial<Record<keyof PolicyDraft, string>> {
  return {
    ...(d.seats && !isWhole(d.seats) ? { seats: 'A whole number' } : {}),
    ...(d.percent && !isWhole(d.percent) ? { percent: 'A whole number' } : {}),
    ...(d.amount && !/^\d{1,15}(\.\d{1,10})?$/.test(d.amount) ? { amount: 'An amount such as 500' } : {}),
    ...(!isWhole(d.freezeDays || '0') || Number(d.freezeDays) > 31 ? { freezeDays: 'From 0 to 31 days' } : {}),
  };
}

/** The policy as it is sent. */
export const policyOf = (d: PolicyDraft): Policy => ({
  approveAbove: {
    ...(d.seats ? { seats: Number(d.seats) } : {}),
    ...(d.percent ? { percent: Number(d.percent) } : {}),
    ...(d.amount ? { amount: d.amount } : {}),
  },
  freezeDays: Number(d.freezeDays || 0),
});

/** What the policy lets through, in a sentence. */
export function inWords(p: Policy, amount: (a: string) => string): string {
  const { seats, percent, amount: most } = p.approveAbove;
  if (seats === 0) return 'Every change waits for an approval.';
  const bounds = [
    seats !== undefined && `more than ${seats} seats`,
    most !== undefined && `more than ${amount(most)}`,
    percent !== undefined && `more than ${percent} % of a line (and over 3 seats)`,
  ].filter(Boolean);
  const held = bounds.length ? `Changes of ${bounds.join(', or ')} wait for an approval.` : 'No bound is set: all changes are written, but those that are unclear.';
  return `${held} A line that would fall to zero always waits.`;
}

export const differs = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b);
