import { expect, it } from 'vitest';
import { grouped, pieces } from './data';

it('pieces are of the whole, in its order, none of them empty', () => {
  expect(pieces([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(pieces([], 2)).toEqual([]);
  expect(pieces([1, 2], 2)).toEqual([[1, 2]]);
});

it('groups keep the order in which they come', () => {
  expect([...grouped(['b1', 'a1', 'b2'], (t) => t[0])]).toEqual([
    ['b', ['b1', 'b2']],
    ['a', ['a1']],
  ]);
});
