/** Exact sums of decimal strings: money is never a binary fraction. */
const digits = 10;

function scaled(text: string): bigint {
  const [whole = '0', part = ''] = text.replace('-', '').split('.');
  const n = BigInt(whole + part.padEnd(digits, '0').slice(0, digits));
  return text.startsWith('-') ? -n : n;
}

function unscaled(n: bigint): string {
  const text = (n < 0n ? -n : n).toString().padStart(digits + 1, '0');
  const part = text.slice(-digits).replace(/0+$/, '');
  return `${n < 0n ? '-' : ''}${text.slice(0, -digits)}${part ? `.${part}` : ''}`;
}

export const add = (...amounts: string[]) => unscaled(amounts.reduce((sum, a) => sum + scaled(a), 0n));
export const times = (n: number, amount: string) => unscaled(scaled(amount) * BigInt(n));
export const compare = (a: string, b: string) => {
  const d = scaled(a) - scaled(b);
  return d < 0n ? -1 : d > 0n ? 1 : 0;
};
export const isZero = (amount: string) => scaled(amount) === 0n;
export const negative = (amount: string) => scaled(amount) < 0n;
const absolute = (amount: string) => unscaled(scaled(amount) < 0n ? -scaled(amount) : scaled(amount));

const formats = new Map<string, Intl.NumberFormat>();
function format(currency: string) {
  let f = formats.get(currency);
  if (!f) {
    f = currency
      ? new Intl.NumberFormat('en-US', { style: 'currency', currency, currencyDisplay: 'narrowSymbol', maximumFractionDigits: 4 })
      : new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 4 });
    formats.set(currency, f);
  }
  return f;
}

/** An amount as it is: $95.10, −$15.60; zero is a dash. */
export function money(amount: string, currency: string): string {
  if (isZero(amount)) return '—';
  return (negative(amount) ? '−' : '') + format(currency).format(absolute(amount) as Intl.StringNumericLiteral);
}

/** An amount that is added to another: +$95.10, −$15.60; zero is a dash. */
export function moved(amount: string, currency: string): string {
  const text = money(amount, currency);
  return text === '—' || negative(amount) ? text : `+${text}`;
}

/** Amounts of several currencies in one line. */
export const amounts = (all: { currency: string; amount: string }[]) =>
  all.filter((a) => !isZero(a.amount)).map((a) => money(a.amount, a.currency)).join(', ') || '—';
export const monthly = (all: { currency: string; monthly: string }[]) =>
  all.filter((a) => !isZero(a.monthly)).map((a) => moved(a.monthly, a.currency)).join(', ') || '—';

/** Sums by currency, in the order in which they come. */
export function sums(all: { currency: string; monthly: string }[]): { currency: string; monthly: string }[] {
  const by = new Map<string, string>();
  for (const m of all) by.set(m.currency, add(by.get(m.currency) ?? '0', m.monthly));
  return [...by].map(([currency, sum]) => ({ currency, monthly: sum }));
}

export const count = (n: number) => n.toLocaleString('en-US');
export const many = (n: number, one: string, more = `${one}s`) => `${count(n)} ${n === 1 ? one : more}`;

/** A quantity as ConnectWise keeps it: 47.00 is 47. */
export const quantity = (text: string) => unscaled(scaled(text)).replace('-', '−');

/** 12 min ago under a day, else 20 Nov, 14:05; in the zone of the workspace. */
export function when(time: string, zone: string, now = new Date()): string {
  const t = new Date(time);
  const minutes = Math.floor((now.getTime() - t.getTime()) / 60_000);
  if (minutes >= 0 && minutes < 1) return 'just now';
  if (minutes >= 0 && minutes < 60) return `${minutes} min ago`;
  if (minutes >= 0 && minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return at(time, zone, now);
}

/** 20 Nov, 14:05; with the year where it isn't this one. */
export function at(time: string, zone: string, now = new Date()): string {
  const t = new Date(time);
  const year = t.getFullYear() === now.getFullYear() ? undefined : 'numeric';
  const d = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year, timeZone: zone }).format(t);
  return `${d}, ${clock(time, zone)}`;
}

export const clock = (time: string, zone: string) =>
  new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: zone }).format(new Date(time));

/** With seconds and zone, for the title of what is shown shorter. */
export const exactly = (time: string, zone: string) =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long', timeZone: zone }).format(new Date(time));

/** The day of a time in a zone, YYYY-MM-DD. */
export const dayOf = (time: Date, zone: string) =>
  new Intl.DateTimeFormat('sv-SE', { year: 'numeric', month: '2-digit', day: '2-digit', timeZone: zone }).format(time);

/** 1 Dec, or 1 Dec 2027 where it isn't this year. A day has no zone. */
export function day(text: string, now = new Date()): string {
  const d = new Date(`${text}T00:00:00Z`);
  const year = text.startsWith(String(now.getFullYear())) ? undefined : 'numeric';
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year, timeZone: 'UTC' }).format(d);
}

/** today at 02:00, tomorrow at 02:00, else 20 Nov, 02:00. */
export function next(time: string, zone: string, now = new Date()): string {
  const on = dayOf(new Date(time), zone);
  if (on === dayOf(now, zone)) return `today at ${clock(time, zone)}`;
  if (on === dayOf(new Date(now.getTime() + 86_400_000), zone)) return `tomorrow at ${clock(time, zone)}`;
  return at(time, zone, now);
}

export function took(from: string, to: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
