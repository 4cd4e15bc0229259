import { queryOptions } from '@tanstack/react-query';
import { ApiError, api, got, type Schemas } from '../../api/client';

export type User = Schemas['User'];
export type Invitation = Schemas['Invitation'];

export const usersQuery = queryOptions({ queryKey: ['users', 'all'], queryFn: () => got(api.GET('/users')) });
export const invitationsQuery = queryOptions({ queryKey: ['users', 'invitations'], queryFn: () => got(api.GET('/invitations')) });
export const tokensQuery = queryOptions({ queryKey: ['users', 'tokens'], queryFn: () => got(api.GET('/tokens')) });
export const securityQuery = queryOptions({ queryKey: ['users', 'security'], queryFn: () => got(api.GET('/workspace/security')), staleTime: 0 });

/** The provider, null where the workspace has none. */
export const providerQuery = queryOptions({
  queryKey: ['users', 'provider'],
  queryFn: async () => {
    try {
      return await got(api.GET('/workspace/openid'));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  },
});

export const fieldsOf = (error: unknown) => (error instanceof ApiError ? error.fields : {});

/** Whether a user is the only administrator who may work: the workspace must keep one. */
export function isLastAdmin(users: Pick<User, 'id' | 'role' | 'disabled'>[], id: number): boolean {
  const admins = users.filter((u) => u.role === 'admin' && !u.disabled);
  return admins.length === 1 && admins[0]?.id === id;
}

/** Those whose name, address or ConnectWise member has the text in it. */
export function like(users: User[], text: string, role?: string): User[] {
  const t = text.trim().toLowerCase();
  return users.filter((u) => (!role || u.role === role) && `${u.name}\n${u.email}\n${u.member ?? ''}`.toLowerCase().includes(t));
}

/** What people write in lines or with commas between, each once. */
export const items = (text: string) => [...new Set(text.split(/[\s,;]+/).filter(Boolean))];

/** The day so many days after another, YYYY-MM-DD. */
export function daysAfter(day: string, days: number): string {
  const d = new Date(`${day}T00:00:00Z`);
  d.setUTCDate(d.getUTCDate() + days);
  return d.toISOString().slice(0, 10);
}
