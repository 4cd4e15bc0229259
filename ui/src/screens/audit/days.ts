/** What a clock in a zone is ahead of UTC at a moment, in milliseconds. */
function ahead(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at);
  const of = (type: string) => Number(parts.find((p) => p.type === type)?.value);
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second')) - Math.floor(at / 1000) * 1000;
}

/** A day of an address, or undefined: addresses are typed by people. */
export function dayIn(text: string | undefined): string | undefined {
  if (!text || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const t = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(t.getTime()) && t.toISOString().startsWith(text) ? text : undefined;
}

/**
 * The moment at which a day begins in a zone, days later by so many. The clock's lead is
 * looked up twice, since it may be another at midnight than at what was guessed first.
 */
export function beginOf(day: string, zone: string, later = 0): string {
  const wall = Date.parse(`${day}T00:00:00Z`) + later * 86_400_000;
  let at = wall;
  for (let i = 0; i < 2; i++) at = wall - ahead(at, zone);
  return new Date(at).toISOString();
}
