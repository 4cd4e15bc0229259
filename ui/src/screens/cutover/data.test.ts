import { expect, test } from 'vitest';
import { clear, dayAfter, draftOf, filterOf, type Line, monthEnd, monthlyOf, searchOf, sentence, tally } from './data';

test('a filter that would mean everything is none', () => {
  const d = draftOf({}, '2026-03-31');
  expect(filterOf(d)).toBeUndefined();
  expect(filterOf({ ...d, by: 'any' })).toBeUndefined();
  expect(filterOf({ ...d, serial: 'S365', lastDay: '' })).toBeUndefined();
  expect(filterOf({ ...d, product: 'M365-BP-A' })).toBeUndefined(); // a serial was to be given
  expect(filterOf({ ...d, serial: ' S365 ' })).toEqual({ lastDay: '2026-03-31', serial: 'S365' });
  expect(filterOf({ ...d, by: 'without', serial: 'S365' })).toEqual({ lastDay: '2026-03-31', withoutSerial: true });
  expect(filterOf({ ...d, by: 'any', product: 'X', type: 'Managed', company: 'C' })).toEqual({ lastDay: '2026-03-31', product: 'X', agreementType: 'Managed', company: 'C' });
});

test('an address holds the filter, and what is wrong in it is not taken', () => {
  const d = draftOf({ by: 'without', type: 'Managed', lastDay: '2026-02-28' }, '2026-03-31');
  expect(draftOf(Object.fromEntries(Object.entries(searchOf(d)).filter(([, v]) => v)) as Record<string, string>, '2026-03-31')).toEqual(d);
  expect(draftOf({ by: 'everything', lastDay: 'soon' }, '2026-03-31')).toMatchObject({ by: 'serial', lastDay: '2026-03-31' });
});

test('months end where they do', () => {
  expect(monthEnd('2028-02-10')).toBe('2028-02-29');
  expect(monthEnd('2026-12-01')).toBe('2026-12-31');
  expect(monthEnd('2026-01-31', true)).toBe('2025-12-31');
  expect(dayAfter('2026-12-31')).toBe('2027-01-01');
});

const line = (addition: number, check: Line['check'], amount: string, currency = 'AUD', notes: string[] = []): Line => ({
  company: 'C',
  agreement: { id: 1, name: 'A' },
  addition,
  product: 'P',
  serial: '',
  quantity: '1',
  lastDay: '2026-03-31',
  monthly: { currency, amount },
  check,
  notes,
});

test('lines are counted and summed exactly, and only those without a note are clear', () => {
  const lines = [line(1, 'fits', '0.1'), line(2, 'twice', '0.2', 'AUD', ['TWICE: it is']), line(3, 'unfollowed', '5', 'NZD', ['nothing follows'])];
  expect(tally(lines)).toEqual({ fits: 1, twice: 1, gap: 0, unfollowed: 1 });
  expect(monthlyOf(lines)).toEqual([
    { currency: 'AUD', amount: '0.3' },
    { currency: 'NZD', amount: '5' },
  ]);
  expect(lines.filter(clear).map((l) => l.addition)).toEqual([1]);
  expect(clear(line(4, 'fits', '1', 'AUD', ['the agreement is inactive']))).toBe(false);
});

test('a note is told as a sentence', () => {
  expect(sentence("TWICE: Trueup's line bills from 2026-03-01")).toBe("Trueup's line bills from 2026-03-01.");
  expect(sentence('the agreement is inactive')).toBe('The agreement is inactive.');
});
