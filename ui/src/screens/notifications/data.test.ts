import { expect, test } from 'vitest';
import { choosing, how, kinds, same, sent, type Wanted } from './data';
import { about } from './mutes';

const wanted: Wanted = { choices: [{ kind: 'syncFailed', how: 'atOnce' }], digestAt: '08:00', weekday: 1 };

test('a kind that nobody chose is off, and a choice names every kind', () => {
  expect(how(wanted, 'syncFailed')).toBe('atOnce');
  expect(how(wanted, 'tenantsGone')).toBe('off');
  const to = choosing(wanted, 'tenantsGone', 'weekly');
  expect(to.choices).toHaveLength(kinds.length);
  expect(how(to, 'tenantsGone')).toBe('weekly');
  expect(how(to, 'syncFailed')).toBe('atOnce');
});

test('an empty address or zone is left out', () => {
  expect(sent({ ...wanted, email: '  ', timeZone: '' })).not.toHaveProperty('email');
  expect(sent({ ...wanted, email: ' a@b.example ' }).email).toBe('a@b.example');
  expect(sent({ ...wanted, timeZone: 'Europe/Zurich' }).timeZone).toBe('Europe/Zurich');
});

test('what is back where it was is no change', () => {
  const there = choosing(wanted, 'syncFailed', 'daily');
  expect(same(wanted, there)).toBe(false);
  expect(same(wanted, choosing(there, 'syncFailed', 'atOnce'))).toBe(true);
  expect(same(wanted, { ...wanted, email: '' })).toBe(true);
});

test('a mute says what it is about', () => {
  const customer = { id: 1, company: 2, identifier: 'C', name: 'Contoso' };
  expect(about({ kind: 'unassignedSeats' })).toBe('Unassigned seats');
  expect(about({ customer })).toBe('Everything of Contoso');
  expect(about({ kind: 'syncFailed', customer, license: { id: 'l', name: 'Visio', partNumber: 'V' } })).toBe('Sync failed of Visio, Contoso');
});
