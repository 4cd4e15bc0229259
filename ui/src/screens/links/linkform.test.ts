import { expect, test } from 'vitest';
import type { License } from './data';
import { begins, input } from './linkform';

const defaults = { users: 'none', basis: 'purchased', showUnassigned: false, included: 0, minimum: 0, allowNegativeProrate: false, billGrace: false, billTrials: false } as const;
const license = (link?: Partial<NonNullable<License['link']>>) => ({ id: 'x', link }) as unknown as License;

test('a new link begins with the defaults of the workspace', () => {
  const v = begins(license(), defaults);
  expect(v).toMatchObject({ bill: 'as', profile: undefined, options: defaults });
  expect(input(v)).toBeUndefined();
});

test('a link that is there begins as it is, over the defaults', () => {
  const v = begins(license({ profile: { id: 3, name: 'P' }, agreement: { id: 9, name: 'A' }, options: { ...defaults, basis: 'assigned', description: '' } }), defaults);
  expect(input(v)).toMatchObject({ profile: 3, agreement: 9, options: { basis: 'assigned' } });
});

test('not billing wants a reason, and sends nothing else', () => {
  const v = begins(license({ doNotBill: 'Free license' }), defaults);
  expect(input(v)).toEqual({ doNotBill: 'Free license' });
  expect(input({ ...v, reason: '  ' })).toBeUndefined();
});

test('a profile without an agreement is not whole', () => {
  expect(input({ ...begins(license(), defaults), profile: 3 })).toBeUndefined();
});
