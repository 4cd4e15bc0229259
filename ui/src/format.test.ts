import { describe, expect, test } from 'vitest';
import { add, amounts, compare, day, many, money, monthly, moved, next, quantity, sums, took, when } from './format';

describe('money', () => {
  test.each([
    ['95.10', 'USD', '+$95.10', '$95.10'],
    ['-15.6', 'USD', '−$15.60', '−$15.60'],
    ['0', 'USD', '—', '—'],
    ['-0.00', 'EUR', '—', '—'],
    ['1234567.891', 'EUR', '+€1,234,567.891', '€1,234,567.891'],
    ['123456789012345.6789', 'USD', '+$123,456,789,012,345.6789', '$123,456,789,012,345.6789'],
    ['5', '', '+5.00', '5.00'],
  ])('%s %s', (amount, currency, change, value) => {
    expect(moved(amount, currency)).toBe(change);
    expect(money(amount, currency)).toBe(value);
  });

  test('sums are exact', () => {
    expect(add('0.1', '0.2')).toBe('0.3');
    expect(add('85.80', '15.60', '-15.60', '9.30')).toBe('95.1');
    expect(add()).toBe('0');
    expect(add('-0.0000000001', '999999999999999')).toBe('999999999999998.9999999999');
    expect(compare('-1', '0.5')).toBe(-1);
    expect(compare('10', '9.99')).toBe(1);
    expect(compare('1.0', '1')).toBe(0);
  });

  test('each currency by itself', () => {
    const all = [
      { currency: 'USD', monthly: '1.5' },
      { currency: 'EUR', monthly: '2' },
      { currency: 'USD', monthly: '-3' },
    ];
    expect(sums(all)).toEqual([
      { currency: 'USD', monthly: '-1.5' },
      { currency: 'EUR', monthly: '2' },
    ]);
    expect(monthly(sums(all))).toBe('−$1.50, +€2.00');
    expect(monthly([])).toBe('—');
    expect(amounts([{ currency: 'USD', amount: '0' }])).toBe('—');
  });

  test('quantities and counts', () => {
    expect(quantity('47.00')).toBe('47');
    expect(quantity('-2.50')).toBe('−2.5');
    expect(many(1, 'change')).toBe('1 change');
    expect(many(1200, 'change')).toBe('1,200 changes');
    expect(many(2, 'company', 'companies')).toBe('2 companies');
  });
});

describe('times', () => {
  const now = new Date('2026-11-24T10:00:00Z');
  test.each([
    ['2026-11-24T09:59:40Z', 'just now'],
    ['2026-11-24T09:48:00Z', '12 min ago'],
    ['2026-11-24T07:00:00Z', '3 h ago'],
    ['2026-11-20T14:05:00Z', '20 Nov, 14:05'],
    ['2025-11-20T14:05:00Z', '20 Nov 2025, 14:05'],
    ['2026-11-25T02:00:00Z', '25 Nov, 02:00'],
  ])('%s', (time, text) => expect(when(time, 'UTC', now)).toBe(text));

  test('in the zone of the workspace', () => {
    expect(next('2026-11-24T23:30:00Z', 'UTC', now)).toBe('today at 23:30');
    expect(next('2026-11-24T23:30:00Z', 'Europe/Berlin', now)).toBe('tomorrow at 00:30');
    expect(next('2026-12-01T07:00:00Z', 'America/New_York', now)).toBe('1 Dec, 02:00');
  });

  test('days have no zone', () => {
    expect(day('2026-12-01', now)).toBe('1 Dec');
    expect(day('2027-03-03', now)).toBe('3 Mar 2027');
    expect(took('2026-11-24T10:00:00Z', '2026-11-24T10:00:42Z')).toBe('42 s');
    expect(took('2026-11-24T10:00:00Z', '2026-11-24T10:03:00Z')).toBe('3 min');
  });
});
