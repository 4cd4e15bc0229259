import { expect, test } from 'vitest';
import type { Schemas } from '../../api/client';
import { asked } from './index';
import { causes } from './run';

const change = (link: string, state: Schemas['ChangeState'], error?: string) => ({ link, state, error, reason: 'why' }) as unknown as Schemas['Change'];

test('what failed for one cause stands together', () => {
  const all = [change('a', 'failed', 'ended'), change('b', 'written'), change('c', 'failed', 'ended'), change('d', 'failed')];
  expect(causes(all).map((c) => [c.cause, c.changes.map((one) => one.link)])).toEqual([
    ['ended', ['a', 'c']],
    ['why', ['d']],
  ]);
  expect(causes([])).toEqual([]);
});

test('an address filters only by what the API takes', () => {
  expect(asked({ status: 'failed', trigger: 'nightly', changed: 'true', customer: '4', link: 'abcdefg234' })).toMatchObject({ status: ['failed'], trigger: ['nightly'], changed: true, customer: 4, link: 'abcdefg234' });
  expect(Object.values(asked({ status: 'x', trigger: 'y', changed: '1', customer: '-4', link: 'UPPER' })).every((v) => v === undefined)).toBe(true);
});
