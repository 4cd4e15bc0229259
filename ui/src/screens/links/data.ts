import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, got, type Schemas } from '../../api/client';
import { oneOf, type Search, whole } from '../../parts/search';

export type License = Schemas['License'];
export type LinkInput = Schemas['LinkInput'];

export const kinds = ['notLinked', 'notBilled', 'endedAgreement', 'priceDiffers', 'unused'] as const;
export const sorts = ['customer', 'name', 'purchased', 'unused', 'money', 'state'] as const;

/** What an address asks the server for. */
export function asked(search: Search) {
  return {
    q: search.q || undefined,
    only: oneOf(search.only, kinds),
    customer: whole(search.customer),
    company: whole(search.company),
    profile: whole(search.profile),
    sort: oneOf(search.sort, sorts),
  };
}

const page = 500;

export const licensesQuery = (query: ReturnType<typeof asked>) =>
  infiniteQueryOptions({
    queryKey: ['licenses', query],
    queryFn: ({ pageParam, signal }) => got(api.GET('/licenses', { params: { query: { ...query, limit: page, cursor: pageParam || undefined } }, signal })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  });

export const profilesQuery = queryOptions({ queryKey: ['profiles'], queryFn: () => got(api.GET('/profiles')), staleTime: 60_000 });

export const agreementsQuery = (company: number) =>
  queryOptions({
    queryKey: ['agreements', company],
    queryFn: () => got(api.GET('/manage/agreements', { params: { query: { company, active: true } } })),
    staleTime: 60_000,
  });

/** The agreements that a link with a profile may use: active, usable, of its types. */
export const fitting = (agreements: Schemas['Agreement'][], profile?: Schemas['Profile']) =>
  agreements.filter((a) => a.active && a.usable && (profile?.agreementTypes.length === 0 || profile?.agreementTypes.some((t) => t.id === a.type)));
