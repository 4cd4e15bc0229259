/** The frame that a sign-in window was opened for: whose, and under which challenge. */
export function frameOf(at: { pathname: string; search: string }): { key: string; challenge: string } | undefined {
  const key = /^\/embed-sign-in\/([A-Za-z0-9_-]{16,64})$/.exec(at.pathname)?.[1];
  const challenge = new URLSearchParams(at.search).get('challenge') ?? '';
  return key && /^[A-Za-z0-9_-]{43}$/.test(challenge) ? { key, challenge } : undefined;
}
