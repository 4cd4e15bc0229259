import { queryOptions, useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { ApiError, api, got, type Schemas } from './client';

export type Session = Schemas['Session'];
export type Role = Schemas['Role'];

// Nobody: what the sign-in page can offer is another question, see waysQuery.
const signedOut: Session = { next: 'done', workspaces: [], mail: false, version: '' };

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async () => {
    try {
      return await got(api.GET('/session'));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return signedOut;
      throw error;
    }
  },
  staleTime: 60_000,
});

/** How people can sign in here, for who is not signed in yet. */
export const waysQuery = queryOptions({ queryKey: ['session', 'ways'], queryFn: () => got(api.GET('/session/ways')), staleTime: 300_000, retry: 1 });

/** Whether nothing is left to be done before work can begin. */
export const isIn = (s: Session) => s.next === 'done' && Boolean(s.user) && Boolean(s.workspace);

const ladder: Role[] = ['viewer', 'technician', 'billing', 'admin'];
export const atLeast = (role: Role | undefined, least: Role) => role !== undefined && ladder.indexOf(role) >= ladder.indexOf(least);

/** Who works here; only below the shell, which is drawn for nobody else. */
export function useMe() {
  const { data } = useSuspenseQuery(sessionQuery);
  const role = data.workspace?.role;
  return { session: data, user: data.user, workspace: data.workspace, role, may: (least: Role) => atLeast(role, least) };
}

/** The settings of the workspace: its zone and currency are what times and money are shown in. */
export const settingsQuery = queryOptions({
  queryKey: ['settings'],
  queryFn: () => got(api.GET('/workspace/settings')),
  staleTime: 300_000,
});

export function useZone(): string {
  return useQuery(settingsQuery).data?.settings.timeZone ?? 'UTC';
}
