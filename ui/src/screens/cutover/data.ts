import { queryOptions } from '@tanstack/react-query';
import { api, got, type Schemas } from '../../api/client';
import { add } from '../../format';
import { oneOf, type Search } from '../../parts/search';

export type Filter = Schemas['CutoverFilter'];
export type Line = Schemas['CutoverLine'];
export type Result = Schemas['CutoverResult'];
export type Check = NonNullable<Line['check']>;

export const checks = ['fits', 'twice', 'gap', 'unfollowed'] as const satisfies Check[];

/** What the form holds; the address keeps the same. */
export interface Draft {
  by: 'serial' | 'without' | 'any';
  serial: string;
  product: string;
  type: string;
  company: string;
  lastDay: string;
}

/** What an address asks for; the last day is the end of this month until one is chosen. */
export const draftOf = (search: Search, lastDay: string): Draft => ({
  by: oneOf(search.by, ['serial', 'without', 'any'] as const) ?? 'serial',
  serial: search.serial ?? '',
  product: search.product ?? '',
  type: search.type ?? '',
  company: search.company ?? '',
  lastDay: /^\d{4}-\d{2}-\d{2}$/.test(search.lastDay ?? '') ? (search.lastDay ?? lastDay) : lastDay,
});

/** The address of a draft: what isn't said in it is what the form begins with. */
export const searchOf = (d: Draft): Record<string, string | undefined> => ({
  by: d.by,
  serial: d.by === 'serial' ? d.serial.trim() || undefined : undefined,
  product: d.product.trim() || undefined,
  type: d.type || undefined,
  company: d.company || undefined,
  lastDay: d.lastDay || undefined,
});

/** The filter that is sent; undefined while it would mean everything, or has no day. */
export function filterOf(d: Draft): Filter | undefined {
  const serial = d.by === 'serial' ? d.serial.trim() : '';
  const product = d.product.trim();
  if (!d.lastDay || (!serial && d.by !== 'without' && !product) || (d.by === 'serial' && !serial)) return undefined;
  return {
    lastDay: d.lastDay,
    ...(serial ? { serial } : {}),
    ...(d.by === 'without' ? { withoutSerial: true } : {}),
    ...(product ? { product } : {}),
    ...(d.type ? { agreementType: d.type } : {}),
    ...(d.company ? { company: d.company } : {}),
  };
}

/** The last day of the month of a day, or of the one before it. */
export function monthEnd(day: string, before = false): string {
  const [year = 2000, month = 1] = day.split('-').map(Number);
  return new Date(Date.UTC(year, before ? month - 1 : month, 0)).toISOString().slice(0, 10);
}

export const dayAfter = (day: string) => new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);

export const previewQuery = (filter: Filter) =>
  queryOptions({
    queryKey: ['cutover', 'preview', filter],
    queryFn: ({ signal }) => got(api.POST('/cutover/preview', { body: filter, signal })),
    staleTime: Number.POSITIVE_INFINITY, // it stays what was shown until somebody looks again
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
  });

export const batchesQuery = queryOptions({ queryKey: ['cutover', 'batches'], queryFn: () => got(api.GET('/cutover/batches')) });

export const keyOf = (l: Line) => String(l.addition);

/** A line about which nothing has to be known: it is among all that are selected at once. */
export const clear = (l: Line) => l.check === 'fits' && l.notes.length === 0;

/** How many lines are each way. */
export function tally(lines: Line[]): Record<Check, number> {
  const n: Record<Check, number> = { fits: 0, twice: 0, gap: 0, unfollowed: 0 };
  for (const l of lines) if (l.check) n[l.check]++;
  return n;
}

/** What the lines add to a month, one a currency. */
export function monthlyOf(lines: Line[]): Schemas['Amount'][] {
  const by = new Map<string, string>();
  for (const { monthly: m } of lines) by.set(m.currency, add(by.get(m.currency) ?? '0', m.amount));
  return [...by].map(([currency, amount]) => ({ currency, amount }));
}

/** A note as a sentence. */
export const sentence = (note: string) => {
  const text = note.replace(/^(TWICE|GAP): /, '');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
};
