import { queryOptions } from '@tanstack/react-query';
import { api, got, type Schemas } from '../../api/client';
import { add } from '../../format';

export type Profile = Schemas['Profile'];
export type ProfileInput = Schemas['ProfileInput'];
export type Proposal = Schemas['ProfileProposal'];
export type Bill = Schemas['Bill'];

/** A product as far as it is known: a profile names it without its description. */
export interface Item {
  id: number;
  identifier: string;
  description?: string;
  price?: string;
}

export const typesQuery = queryOptions({
  queryKey: ['agreement-types'],
  queryFn: () => got(api.GET('/manage/agreement-types')),
  staleTime: 60_000,
});

export const productsQuery = (q: string) =>
  queryOptions({
    queryKey: ['products', q],
    queryFn: ({ signal }) => got(api.GET('/manage/products', { params: { query: { q: q || undefined, limit: 50 } }, signal })),
    staleTime: 60_000,
  });

export const proposalsQuery = queryOptions({
  queryKey: ['profile-proposals'],
  queryFn: ({ signal }) => got(api.GET('/profile-proposals', { signal })),
  staleTime: 300_000,
});

/** What the form holds: everything as it is typed. */
export interface Draft {
  name: string;
  types: number[];
  product?: Item;
  custom: boolean;
  price: string;
  currency: string;
  bill: Bill;
}

/** What the form of a profile begins with; of a new one with nothing but the currency. */
export function begins(p: Profile | undefined, currency: string): Draft {
  return {
    name: p?.name ?? '',
    types: p?.agreementTypes.map((t) => t.id) ?? [],
    product: p && { id: p.product, identifier: p.productName, price: p.productPrice },
    custom: p?.price !== undefined,
    price: p?.price ?? '',
    currency: p?.currency || currency,
    bill: p?.bill ?? 'billable',
  };
}

export const isAmount = (text: string) => /^\d{1,15}(\.\d{1,10})?$/.test(text);

/** What the form says, as it is sent; undefined while something is missing. */
export function input(d: Draft): ProfileInput | undefined {
  const name = d.name.trim();
  if (!name || d.types.length === 0 || !d.product || (d.custom && !isAmount(d.price.trim()))) return undefined;
  return {
    name,
    agreementTypes: d.types.toSorted((a, b) => a - b),
    product: d.product.id,
    bill: d.bill,
    ...(d.custom ? { price: d.price.trim(), currency: d.currency } : {}),
  };
}

/** Whether what is billed changes, and not the name alone. */
export const billsOtherwise = (a: ProfileInput, b: ProfileInput) => JSON.stringify({ ...a, name: '' }) !== JSON.stringify({ ...b, name: '' });

export const billWords: Record<Bill, string> = { billable: 'Billable', doNotBill: 'Do not bill', noCharge: 'No charge' };

/** What ten of a product at a price are, exactly. */
export const ten = (price: string) => add(...Array.from({ length: 10 }, () => price));

/** Proposals that are worth a tick from the beginning: their product stands on agreements, and no profile is so yet. */
export const ready = (p: Proposal) => p.product !== undefined && p.agreementTypes.length > 0 && !p.exists?.id;
