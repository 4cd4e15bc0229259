import { expect, test } from 'vitest';
import type { Schemas } from '../../api/client';
import { asked, fitting } from './data';

const agreement = (id: number, type: number, more: Partial<Schemas['Agreement']> = {}) =>
  ({ id, type, name: `A${id}`, company: 1, typeName: '', status: 'Active', active: true, prorate: true, currency: 'USD', usable: true, checks: [], ...more }) as Schemas['Agreement'];
const profile = (...types: number[]) =>
  ({ id: 1, name: 'P', agreementTypes: types.map((id) => ({ id, name: `T${id}` })) }) as Schemas['Profile'];

test('a link may use active, usable agreements of the types of its profile', () => {
  const all = [agreement(1, 7), agreement(2, 8), agreement(3, 7, { active: false }), agreement(4, 7, { usable: false })];
  expect(fitting(all, profile(7)).map((a) => a.id)).toEqual([1]);
  expect(fitting(all, profile(7, 8)).map((a) => a.id)).toEqual([1, 2]);
  expect(fitting(all, profile()).map((a) => a.id)).toEqual([1, 2]);
  expect(fitting(all, undefined)).toEqual([]);
});

test('what an address says is taken only where the API takes it', () => {
  expect(asked({ q: 'E3', only: 'unused', customer: '12', sort: 'money' })).toEqual({ q: 'E3', only: 'unused', customer: 12, sort: 'money', company: undefined, profile: undefined });
  expect(asked({ only: 'everything', customer: 'x', sort: 'drop table' })).toEqual({});
});
