import { expect, test } from 'vitest';
import { inWords, policyDraft, policyFaults, policyOf } from './data';

const amount = (a: string) => `$${a}`;

test('a bound that is empty is none', () => {
  const d = policyDraft({ approveAbove: { seats: 25 }, freezeDays: 0 });
  expect(d).toEqual({ seats: '25', percent: '', amount: '', freezeDays: '0' });
  expect(policyOf({ ...d, seats: '', amount: '250.50' })).toEqual({ approveAbove: { amount: '250.50' }, freezeDays: 0 });
});

test('what is no number is told by its field', () => {
  expect(policyFaults({ seats: 'x', percent: '1.5', amount: '-3', freezeDays: '40' })).toEqual({
    seats: 'A whole number',
    percent: 'A whole number',
    amount: 'An amount such as 500',
    freezeDays: 'From 0 to 31 days',
  });
  expect(policyFaults({ seats: '', percent: '', amount: '', freezeDays: '' })).toEqual({});
});

test('the policy in a sentence', () => {
  expect(inWords({ approveAbove: { seats: 25, percent: 50, amount: '500' }, freezeDays: 0 }, amount)).toBe(
    'Changes of more than 25 seats, or more than $500, or more than 50 % of a line (and over 3 seats) wait for an approval. A line that would fall to zero always waits.',
  );
  expect(inWords({ approveAbove: { seats: 0 }, freezeDays: 0 }, amount)).toBe('Every change waits for an approval.');
  expect(inWords({ approveAbove: {}, freezeDays: 0 }, amount)).toContain('No bound is set');
});
