/**
 * One-time links: what follows # is never sent to a server, and so is in no log.
 */
export type Link = { kind: 'first' | 'invitation' | 'reset'; token: string };

const kinds = ['first', 'invitation', 'reset'] as const;

/** The one-time link that an address is, if it is one. */
export function linkOf(at: { pathname: string; hash: string }): Link | undefined {
  const kind = kinds.find((k) => at.pathname === `/${k}`);
  if (!kind) return undefined;
  const token = at.hash.replace(/^#/, '').replace(/^token=/, '');
  return { kind, token: /^[A-Za-z0-9_-]{16,200}$/.test(token) ? token : '' };
}

/** Where a person goes on after signing in: a path of ours, never another site. */
export function goOn(at: { pathname: string; search: string }): string | undefined {
  if (at.pathname !== '/signin') return undefined;
  const to = new URLSearchParams(at.search).get('returnTo') ?? '';
  return /^\/[A-Za-z0-9_?=&.%-][A-Za-z0-9_/?=&.%-]*$/.test(to) && !to.startsWith('/signin') ? to : '/';
}

/** What a provider's sign-in ended with, if it did not work: a code. */
export function problemOf(at: { pathname: string; search: string }): string | undefined {
  const code = at.pathname === '/signin' ? new URLSearchParams(at.search).get('problem') : null;
  return code && /^[A-Za-z0-9_]{1,64}$/.test(code) ? code : undefined;
}
