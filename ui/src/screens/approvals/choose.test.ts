import { expect, test } from 'vitest';
import { amongAll, asked, choiceOf, notApprovable, type Plan, rowsOf } from './choose';

const plan = (link: string, customer: number, more: Partial<Plan> = {}) =>
  ({ link, customer: { id: customer, company: customer, identifier: '', name: `C${customer}` }, fingerprint: `f-${link}`, approvable: true, odd: false, holds: [], ...more }) as unknown as Plan;

test('plans stand under their customers, none is lost', () => {
  const plans = [plan('a', 1), plan('b', 2), plan('c', 1)];
  expect(rowsOf(plans, false).map((r) => (r.kind === 'plan' ? r.plan.link : `customer ${r.customer.id} with ${r.plans.length}`))).toEqual(['customer 1 with 2', 'a', 'c', 'customer 2 with 1', 'b']);
  expect(rowsOf(plans, true)).toHaveLength(3);
  expect(rowsOf([], false)).toEqual([]);
});

test('all means neither odd ones, nor those put aside, nor those that want an answer', () => {
  expect(amongAll(plan('a', 1))).toBe(true);
  expect(amongAll(plan('a', 1, { odd: true }))).toBe(false);
  expect(amongAll(plan('a', 1, { approvable: false }))).toBe(false);
  expect(amongAll(plan('a', 1, { postponed: { until: '2026-12-01', reason: 'r', by: 'b', at: '' } }))).toBe(false);
});

test('a plan that can not be approved says why', () => {
  const hold = { code: 'same_product_present', text: 'The product stands there already.', approvable: false, answers: ['adopt'] } as Plan['holds'][number];
  expect(notApprovable(plan('a', 1))).toBeUndefined();
  expect(notApprovable(plan('a', 1, { approvable: false, holds: [hold] }))).toBe('The product stands there already.');
});

test('an approval names exactly what was shown', () => {
  expect(choiceOf(plan('a', 1))).toEqual({ link: 'a', fingerprint: 'f-a' });
});

test('an address is taken only where it fits', () => {
  expect(asked({ direction: 'increase', over: '100.50', odd: 'true', olderThan: '7' })).toMatchObject({ direction: 'increase', over: '100.50', odd: true, olderThan: 7 });
  expect(Object.values(asked({ direction: 'up', over: '1e9', odd: 'maybe', olderThan: '-1' })).every((v) => v === undefined)).toBe(true);
});
