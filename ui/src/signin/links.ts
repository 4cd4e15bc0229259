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

const problems: Record<string, string> = {
  no_account: 'Nobody in the workspace has the address of your account. Ask an administrator to invite you under this address.',
  provider_tenant: 'You signed in with an account of another organization. Choose the account that belongs to your workspace.',
  provider_domain: 'Your organization does not speak for addresses like yours here. Sign in with your work account, or ask an administrator to add the domain.',
  provider_email: 'Your organization named no checked e-mail address of yours. Ask its administrator to send the email claim.',
  identity_other: 'Another account of your organization belongs to this user. Sign in with that one, or ask an administrator.',
  sign_in_over: 'This sign-in was finished already, took too long, or was begun in another browser. Begin again.',
};

/** What a code of a provider's sign-in means to a person. */
export const problemWords = (code: string) => (Object.hasOwn(problems, code) && problems[code]) || "Your organization's sign-in did not let you in. Try again, or ask an administrator.";
