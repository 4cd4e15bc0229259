import { expect, test } from 'vitest';
import { beginOf, dayIn } from './days';
import { actionChoice, changes, fieldName, words } from './words';

test.each([
  ['2026-11-24', 'UTC', 0, '2026-11-24T00:00:00.000Z'],
  ['2026-11-24', 'UTC', 1, '2026-11-25T00:00:00.000Z'],
  ['2026-11-24', 'Australia/Brisbane', 0, '2026-11-23T14:00:00.000Z'],
  ['2026-07-01', 'America/New_York', 0, '2026-07-01T04:00:00.000Z'],
  ['2026-11-01', 'America/New_York', 0, '2026-11-01T04:00:00.000Z'], // clocks go back this day
  ['2026-11-01', 'America/New_York', 1, '2026-11-02T05:00:00.000Z'],
  ['2026-03-29', 'Europe/Berlin', 1, '2026-03-29T22:00:00.000Z'], // clocks go on this day
  ['2026-11-24', 'Asia/Kathmandu', 0, '2026-11-23T18:15:00.000Z'],
])('%s in %s, %i later, begins at %s', (day, zone, later, at) => {
  expect(beginOf(day, zone, later)).toBe(at);
});

test.each([
  ['2026-11-24', '2026-11-24'],
  ['2026-02-30', undefined],
  ['2026-13-01', undefined],
  ['24.11.2026', undefined],
  ['<b>', undefined],
  [undefined, undefined],
])('a day of an address: %s', (text, day) => {
  expect(dayIn(text)).toBe(day);
});

test('what changed is told field by field', () => {
  expect(changes('member: \nrole: viewer', 'member: SCarter\nrole: billing\nends: 2027')).toEqual([
    { name: 'ends', after: '2027' },
    { name: 'member', before: '', after: 'SCarter' },
    { name: 'role', before: 'viewer', after: 'billing' },
  ]);
  expect(changes(undefined, undefined)).toEqual([]);
  expect(changes('reason: one\ntwo', undefined)).toEqual([{ name: 'reason', before: 'one\ntwo' }]);
  expect(changes('no name at all', undefined)).toEqual([{ name: '', before: 'no name at all' }]);
});

test('codes and fields are words', () => {
  expect(words('user_invited')).toBe('User invited');
  expect(fieldName('allowedAddresses')).toBe('Allowed addresses');
  expect(fieldName('mfaRequired')).toBe('MFA required');
});

test('an action of the address is among the choice, listed or not', () => {
  const values = (asked?: string) => actionChoice(asked).flatMap((g) => g.items.map((i) => i.value));
  expect(values()).toContain('user_invited');
  expect(new Set(values()).size).toBe(values().length);
  expect(values('night_begun')).toContain('night_begun');
  expect(values('user_invited')).toHaveLength(values().length);
});
