import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, got, type Schemas } from '../../api/client';

export type Settings = Schemas['NotificationSettings'];
export type Wanted = Schemas['NotificationInput'];
export type Kind = Schemas['NotificationKind'];
export type Frequency = Schemas['Frequency'];
export type Mute = Schemas['Mute'];

export const notificationsQuery = queryOptions({
  queryKey: ['notifications', 'settings'],
  queryFn: () => got(api.GET('/me/notifications')),
  refetchOnWindowFocus: false, // what is being chosen stays
});

export const mutesQuery = queryOptions({ queryKey: ['mutes'], queryFn: () => got(api.GET('/mutes')) });

export const toldQuery = (ended: boolean) =>
  infiniteQueryOptions({
    queryKey: ['notifications', 'told', ended],
    queryFn: ({ pageParam, signal }) => got(api.GET('/notifications', { params: { query: { ended: ended || undefined, limit: 50, cursor: pageParam || undefined } }, signal })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  });

/** The kinds, in the order in which they matter, and what each is about. */
export const kinds: { kind: Kind; name: string; about: string }[] = [
  { kind: 'connectionBroken', name: 'Connection broken', about: 'ConnectWise or Microsoft refuses it, so nothing is synced through it.' },
  { kind: 'syncFailed', name: 'Sync failed', about: 'A customer could not be synced.' },
  { kind: 'holdsWaiting', name: 'Changes waiting', about: 'They need an approval, with the last day before money is lost.' },
  { kind: 'agreementChanged', name: 'Agreement ends or changed', about: 'What is billed on it needs another place.' },
  { kind: 'credentialExpires', name: 'Secret, certificate or consent expires', about: 'While there is time to renew it.' },
  { kind: 'tenantsGone', name: 'Tenants gone', about: "They left your partner's list." },
  { kind: 'unlinkedLicenses', name: 'Unlinked licenses', about: 'Customers have them, and nobody is billed for them.' },
  { kind: 'tenantsNotAdded', name: 'Tenants not added', about: "They are on your partner's list, and are no customer here." },
  { kind: 'unassignedSeats', name: 'Unassigned seats', about: 'They are purchased, and no user holds them.' },
];

export const kindName = (kind: Kind) => kinds.find((k) => k.kind === kind)?.name ?? kind;

export const frequencies: { how: Frequency; name: string }[] = [
  { how: 'off', name: 'Off' },
  { how: 'atOnce', name: 'At once' },
  { how: 'daily', name: 'Daily' },
  { how: 'weekly', name: 'Weekly' },
  { how: 'monthly', name: 'Monthly' },
];

export const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** How often a kind is told; one that nobody chose is not told. */
export const how = (w: Wanted, kind: Kind): Frequency => w.choices.find((c) => c.kind === kind)?.how ?? 'off';

/** The same with another choice for a kind, every kind named. */
export const choosing = (w: Wanted, kind: Kind, to: Frequency): Wanted => ({
  ...w,
  choices: kinds.map((k) => ({ kind: k.kind, how: k.kind === kind ? to : how(w, k.kind) })),
});

/** As it is sent: an address or a zone that is empty is that of the account, or the workspace. */
export function sent(w: Wanted): Wanted {
  const { email, timeZone, ...rest } = w;
  return {
    ...rest,
    choices: kinds.map((k) => ({ kind: k.kind, how: how(w, k.kind) })),
    ...(email?.trim() ? { email: email.trim() } : {}),
    ...(timeZone ? { timeZone } : {}),
  };
}

export const same = (a: Wanted, b: Wanted) => JSON.stringify(ordered(sent(a))) === JSON.stringify(ordered(sent(b)));
const ordered = (w: Wanted) => [w.choices, w.digestAt, w.weekday, w.email ?? '', w.timeZone ?? ''];

/** Whether anything is told in a digest on a weekday of its own. */
export const weekly = (w: Wanted) => w.choices.some((c) => c.how === 'weekly');
