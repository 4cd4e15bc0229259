import { expect, test } from 'vitest';
import { oneOf, parseSearch, stringifySearch, whole } from './search';

test('what is empty is not in the address', () => {
  expect(stringifySearch({ q: 'a b', customer: 7, state: '', only: undefined })).toBe('?q=a+b&customer=7');
  expect(stringifySearch({})).toBe('');
});

test('an address comes back as it was', () => {
  const search = { q: 'Ünïcode & more', only: 'unused' };
  expect(parseSearch(stringifySearch(search))).toEqual(search);
});

test('what a person typed is taken only where it fits', () => {
  expect(oneOf('unused', ['unused', 'notLinked'])).toBe('unused');
  expect(oneOf('<script>', ['unused'])).toBeUndefined();
  expect(whole('42')).toBe(42);
  expect(whole('-1')).toBeUndefined();
  expect(whole('1e5')).toBeUndefined();
  expect(whole(undefined)).toBeUndefined();
});
