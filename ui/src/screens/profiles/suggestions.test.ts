import { expect, test } from 'vitest';
import type { Proposal } from './data';
import { inputOf, rowsOf } from './suggestions';

const proposal = (over: Partial<Proposal>): Proposal => ({ name: 'N', license: 'L', sku: 's', partNumber: 'P', customers: 1, seats: 1, additions: 0, agreementTypes: [], ...over });

test('what has a profile is not suggested, and only what is whole is ticked', () => {
  const product = { id: 8, identifier: 'M365-BB', description: '', price: '6', bundle: false, inactive: false };
  const rows = rowsOf([
    proposal({ exists: { id: 1, name: 'there' } }),
    proposal({ sku: 'a', product, additions: 2, agreementTypes: [{ id: 2, name: 'Managed' }] }),
    proposal({ sku: 'b' }),
  ]);
  expect(rows.map((r) => [r.of.sku, r.ticked])).toEqual([
    ['a', true],
    ['b', false],
  ]);
  expect(rows.map(inputOf)).toEqual([{ name: 'N', product: 8, agreementTypes: [2], bill: 'billable' }, undefined]);
});
