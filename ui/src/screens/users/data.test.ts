import { expect, test } from 'vitest';
import { daysAfter, isLastAdmin, items, like, type User } from './data';

const user = (id: number, role: User['role'], more: Partial<User> = {}): User => ({
  id,
  role,
  name: `User ${id}`,
  email: `u${id}@msp.example`,
  mfa: true,
  disabled: false,
  version: '1',
  ...more,
});

test.each([
  ['one of one', [user(1, 'admin'), user(2, 'billing')], 1, true],
  ['another', [user(1, 'admin'), user(2, 'billing')], 2, false],
  ['one of two', [user(1, 'admin'), user(2, 'admin')], 1, false],
  ['beside one who may not work', [user(1, 'admin'), user(2, 'admin', { disabled: true })], 1, true],
  ['who may not work', [user(1, 'admin'), user(2, 'admin', { disabled: true })], 2, false],
  ['none', [], 1, false],
] as const)('the last administrator: %s', (_, users, id, last) => {
  expect(isLastAdmin([...users], id)).toBe(last);
});

test('users are found by name, address and member, and by role', () => {
  const all = [user(1, 'admin', { name: 'Sam Carter', member: 'SCarter' }), user(2, 'viewer', { name: 'Kim Osei' })];
  expect(like(all, 'SCART').map((u) => u.id)).toEqual([1]);
  expect(like(all, 'u2@').map((u) => u.id)).toEqual([2]);
  expect(like(all, ' ').map((u) => u.id)).toEqual([1, 2]);
  expect(like(all, '', 'viewer').map((u) => u.id)).toEqual([2]);
  expect(like(all, 'sam', 'viewer')).toEqual([]);
});

test('lists are written in lines or with commas', () => {
  expect(items('192.0.2.7,\n 2001:db8::/32; 192.0.2.7\n')).toEqual(['192.0.2.7', '2001:db8::/32']);
  expect(items(' \n')).toEqual([]);
});

test.each([
  ['2026-11-24', 90, '2027-02-22'],
  ['2028-02-28', 1, '2028-02-29'],
  ['2026-12-31', 1, '2027-01-01'],
])('%s and %i days', (day, days, after) => {
  expect(daysAfter(day, days)).toBe(after);
});
