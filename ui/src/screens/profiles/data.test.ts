import { expect, test } from 'vitest';
import { begins, billsOtherwise, input, isAmount, type Profile, type Proposal, ready, ten } from './data';

const profile: Profile = {
  id: 3,
  name: 'M365 Business Premium - Annual',
  agreementTypes: [
    { id: 9, name: 'Office 365' },
    { id: 2, name: 'Managed' },
  ],
  product: 7,
  productName: 'M365-BP-A',
  productPrice: '22.00',
  currency: '',
  bill: 'billable',
  retired: false,
  links: 4,
  version: 'v',
};

test('a new profile begins empty, and is sent when it is whole', () => {
  const d = begins(undefined, 'AUD');
  expect(input(d)).toBeUndefined();
  const whole = { ...d, name: ' Premium ', types: [9, 2], product: { id: 7, identifier: 'M365-BP-A' } };
  expect(input(whole)).toEqual({ name: 'Premium', agreementTypes: [2, 9], product: 7, bill: 'billable' });
  expect(input({ ...whole, types: [] })).toBeUndefined();
  expect(input({ ...whole, name: '  ' })).toBeUndefined();
});

test('a custom price is an exact amount with a currency, and gone when it is not wanted', () => {
  const d = { ...begins(profile, 'AUD'), custom: true, price: ' 24.50 ' };
  expect(input(d)).toMatchObject({ price: '24.50', currency: 'AUD' });
  expect(input({ ...d, price: '24,50' })).toBeUndefined();
  expect(input({ ...d, custom: false })).toEqual({ name: profile.name, agreementTypes: [2, 9], product: 7, bill: 'billable' });
  for (const bad of ['', '-1', '1e3', '.5', '12345678901234567']) expect(isAmount(bad)).toBe(false);
});

test('a name alone changes nothing that is billed', () => {
  const before = input(begins(profile, 'AUD'));
  const renamed = input({ ...begins(profile, 'AUD'), name: 'Premium' });
  const dearer = input({ ...begins(profile, 'AUD'), custom: true, price: '24' });
  if (!before || !renamed || !dearer) throw new Error('they are whole');
  expect(billsOtherwise(before, renamed)).toBe(false);
  expect(billsOtherwise(before, dearer)).toBe(true);
});

test('ten of a price are exact', () => {
  expect(ten('0.1')).toBe('1');
  expect(ten('22.05')).toBe('220.5');
});

test('a proposal is ready when its product stands on agreements and nothing is so yet', () => {
  const p: Proposal = {
    name: 'M365 Business Basic',
    license: 'Microsoft 365 Business Basic',
    sku: 's',
    partNumber: 'O365_BUSINESS_ESSENTIALS',
    customers: 2,
    seats: 9,
    additions: 3,
    agreementTypes: [{ id: 2, name: 'Managed' }],
    product: { id: 8, identifier: 'M365-BB', description: '', price: '6', bundle: false, inactive: false },
  };
  expect(ready(p)).toBe(true);
  expect(ready({ ...p, exists: { id: 3, name: 'x' } })).toBe(false);
  expect(ready({ ...p, agreementTypes: [] })).toBe(false);
});
