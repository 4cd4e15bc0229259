import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Host, type HostRecord, HostSilent, type Member } from '../host/host';
import { Fault } from './model';
import { Pod } from './pod';

const key = 'aaaabbbbccccdddd1111';
const soon = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();
const view = (screen: string, id: number) => ({ state: 'ready', record: { screen, id, name: `${screen} ${id}`, company: { id: 200, name: 'Coho' } } });

type Answer = { status?: number; body?: unknown; headers?: Record<string, string>; hold?: Promise<void> };
interface Asked {
  what: string;
  body: Record<string, unknown> | undefined;
  token: string | null;
  signal?: AbortSignal | null;
}

/** A program that answers, in the place of fetch, and keeps what it was asked. */
function program(answer: (asked: Asked) => Answer) {
  const asked: Asked[] = [];
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    const one: Asked = { what: `${init.method} ${path.replace('/api/v1', '')}`, body: init.body ? (JSON.parse(String(init.body)) as Record<string, unknown>) : undefined, token: new Headers(init.headers).get('Authorization'), signal: init.signal };
    asked.push(one);
    const said = answer(one);
    await said.hold;
    init.signal?.throwIfAborted();
    return new Response(said.status === 204 || said.status === 304 ? null : JSON.stringify(said.body ?? {}), { status: said.status ?? 200, headers: said.headers });
  });
  return asked;
}

/** A host that vouches for jdoe until it is told not to. */
function vouches(of: { member?: () => Promise<Member>; present?: boolean } = {}) {
  let words = 0;
  const host = {
    present: of.present ?? true,
    onRecord: (() => {}) as (r: HostRecord) => void,
    start: () => {},
    refreshed: 0,
    refresh: () => void host.refreshed++,
    member: of.member ?? (() => Promise.resolve({ memberId: 'jdoe', memberHash: `hash-${++words}`, memberContext: 'web' })),
  };
  return host;
}

/** What a program says that lets jdoe in; token after token. */
function letsIn(more: (asked: Asked) => Answer | undefined = () => undefined) {
  let tokens = 0;
  return program((asked) => {
    const own = more(asked);
    if (own) return own;
    if (asked.what.endsWith('/challenge')) return { body: { nonce: `nonce-${asked.body?.fallback ? 'window' : 'frame'}`, ends: soon(1), fallback: true } };
    if (/\/(session|exchange)$/.test(asked.what) && asked.what.startsWith('POST')) return { body: { token: `token-${++tokens}`, ends: soon(10), role: 'billing', checked: asked.what.endsWith('/session'), record: {}, name: 'J', administrators: [] } };
    if (asked.what === 'GET /embed/view') return { body: view('agreement', 1), headers: { ETag: '"1"' } };
    return {};
  });
}

const start = (host: ReturnType<typeof vouches>, screen = 'agreement', id = '1') => {
  const pod = new Pod(key, host as unknown as Host);
  pod.start(screen, id);
  return pod;
};
const at = (pod: Pod, state: string) => vi.waitFor(() => expect(pod.state.at).toBe(state));
const sessions = (asked: Asked[]) => asked.filter((a) => a.what === `POST /embed/${key}/session`).map((a) => a.body);

beforeEach(() => void vi.spyOn(console, 'error'));
afterEach(() => void vi.unstubAllGlobals());

describe('the way in', () => {
  it('asks for a nonce, makes itself known with what the host says, and shows the record', async () => {
    const asked = letsIn();
    const pod = start(vouches());
    await at(pod, 'view');
    expect(sessions(asked)).toEqual([{ nonce: 'nonce-frame', memberId: 'jdoe', memberHash: 'hash-1', memberContext: 'web', screen: 'agreement', recordId: '1' }]);
    expect(asked.at(-1)).toMatchObject({ what: 'GET /embed/view', token: 'Bearer token-1' });
    expect(JSON.stringify(Object.values(pod))).not.toContain('hash-1');
  });

  it('asks for another nonce when one was late, and only once', async () => {
    let late = 1;
    const asked = letsIn((a) => (a.what.endsWith('/session') && a.what.startsWith('POST') && late-- > 0 ? { status: 401, body: { code: 'nonce_spent' } } : undefined));
    await at(start(vouches()), 'view');
    expect(sessions(asked)).toHaveLength(2);
    vi.unstubAllGlobals();
    const again = letsIn((a) => (a.what.endsWith('/session') && a.what.startsWith('POST') ? { status: 401, body: { code: 'nonce_spent', detail: 'Late.', action: 'Again.' } } : undefined));
    const pod = start(vouches());
    await at(pod, 'fault');
    expect(sessions(again)).toHaveLength(2);
  });

  it.each([
    ['member_refused', 401],
    ['manage_unreachable', 502],
  ])('offers the own sign-in at %s', async (code, status) => {
    letsIn((a) => (a.what === `POST /embed/${key}/session` ? { status, body: { code, detail: 'No.', action: 'Else.' } } : undefined));
    const pod = start(vouches());
    await at(pod, 'unvouched');
    expect(pod.state).toMatchObject({ fallback: true, fault: { code } });
  });

  it('offers it when the host says nothing', async () => {
    const asked = letsIn();
    const pod = start(vouches({ member: () => Promise.reject(new HostSilent()) }));
    await at(pod, 'unvouched');
    expect(sessions(asked)).toEqual([]);
  });

  it.each([
    ['record_refused', 403],
    ['manage_not_connected', 409],
    ['too_many', 429],
  ])('says what it was refused with: %s', async (code, status) => {
    letsIn((a) => (a.what === `POST /embed/${key}/session` ? { status, body: { code, detail: 'No.', action: 'Else.', reference: 'R-1' } } : undefined));
    const pod = start(vouches());
    await at(pod, 'fault');
    expect(pod.state).toMatchObject({ fault: { code, reference: 'R-1' } });
  });

  it('asks for nothing without a role', async () => {
    const asked = letsIn((a) => (a.what === `POST /embed/${key}/session` ? { body: { token: 't', ends: soon(10), checked: true, record: {}, name: 'N', administrators: ['Sam'] } } : undefined));
    await at(start(vouches()), 'noAccess');
    expect(asked.some((a) => a.what === 'GET /embed/view')).toBe(false);
  });

  it('is outside where no host is, or none that it knows the records of', async () => {
    const asked = letsIn();
    expect(start(vouches({ present: false })).state.at).toBe('outside');
    const host = vouches();
    const pod = start(host, '[cw_screen]', '[cw_id]');
    expect(pod.state.at).toBe('loading');
    host.onRecord({ screen: 'ticket', id: '4' });
    expect(pod.state.at).toBe('outside');
    expect(asked).toEqual([]);
    host.onRecord({ screen: 'company', id: '4' });
    await at(pod, 'view');
  });
});

describe('another record', () => {
  it('is another session; what comes for the old one is dropped', async () => {
    let free = () => {};
    const held = new Promise<void>((resolve) => {
      free = resolve;
    });
    let views = 0;
    const asked = letsIn((a) => (a.what === 'GET /embed/view' ? (++views === 1 ? { body: view('agreement', 1), hold: held } : { body: view('agreement', 2) }) : undefined));
    const host = vouches();
    const pod = start(host);
    await vi.waitFor(() => expect(views).toBe(1));
    host.onRecord({ screen: 'agreement', id: '2' });
    await at(pod, 'view');
    free();
    await held;
    expect(pod.state).toMatchObject({ view: { record: { id: 2 } } });
    expect(sessions(asked).map((s) => s?.recordId)).toEqual(['1', '2']);
    expect(asked.find((a) => a.what === 'DELETE /embed/session')?.token).toBe('Bearer token-1');
  });

  it('is not the same one again, which is only read again', async () => {
    const asked = letsIn((a) => (a.what === 'GET /embed/view' && asked.filter((b) => b.what === a.what).length > 1 ? { status: 304 } : undefined));
    const host = vouches();
    const pod = start(host);
    await at(pod, 'view');
    host.onRecord({ screen: 'agreement', id: '1' });
    await vi.waitFor(() => expect(asked.filter((a) => a.what === 'GET /embed/view')).toHaveLength(2));
    expect(sessions(asked)).toHaveLength(1);
  });

  it('may be the company of an agreement, with a session of its own, and back', async () => {
    const asked = letsIn((a) => (a.what === 'GET /embed/view' ? { body: a.token === 'Bearer token-2' ? view('company', 200) : view('agreement', 1) } : undefined));
    const pod = start(vouches());
    await at(pod, 'view');
    expect(await pod.widen(true)).toBe(true);
    expect(pod.state).toMatchObject({ view: { record: { screen: 'company' } } });
    expect(await pod.widen(false)).toBe(true);
    expect(sessions(asked).map((s) => `${s?.screen} ${s?.recordId} ${s?.memberHash}`)).toEqual(['agreement 1 hash-1', 'company 200 hash-2', 'agreement 1 hash-3']);
  });

  it('that is refused leaves all as it was', async () => {
    letsIn((a) => (a.body?.screen === 'company' ? { status: 403, body: { code: 'record_refused' } } : undefined));
    const pod = start(vouches());
    await at(pod, 'view');
    expect(await pod.widen(true)).toBe(false);
    expect(pod.state).toMatchObject({ at: 'view', view: { record: { screen: 'agreement' } } });
    await pod.ask('GET', '/embed/sync'); // with the token that it had
  });
});

describe('a token', () => {
  it('that is over is renewed once for all who ask', async () => {
    const asked = letsIn((a) => (a.what === 'GET /embed/sync' && a.token === 'Bearer token-1' ? { status: 401, body: { code: 'signed_out' } } : undefined));
    const pod = start(vouches());
    await at(pod, 'view');
    await Promise.all([pod.ask('GET', '/embed/sync'), pod.ask('GET', '/embed/sync'), pod.ask('GET', '/embed/sync')]);
    expect(sessions(asked)).toHaveLength(2);
    expect(asked.filter((a) => a.what === 'GET /embed/sync' && a.token === 'Bearer token-2')).toHaveLength(3);
  });

  it('is renewed before it ends', async () => {
    const asked = letsIn();
    const pod = start(vouches());
    await at(pod, 'view');
    vi.useFakeTimers({ now: Date.now() + 10 * 60_000, toFake: ['Date'] });
    await pod.ask('GET', '/embed/sync');
    vi.useRealTimers();
    expect(asked.at(-1)).toMatchObject({ what: 'GET /embed/sync', token: 'Bearer token-2' });
  });

  it('that the host does not renew is the end, without the own sign-in', async () => {
    let first = true;
    letsIn((a) => {
      if (a.what.endsWith('/challenge')) return { body: { nonce: 'n', ends: soon(1), fallback: false } };
      return a.what === 'GET /embed/sync' ? { status: 401, body: { code: 'signed_out' } } : undefined;
    });
    const pod = start(
      vouches({
        member: () => {
          if (!first) return Promise.reject(new HostSilent());
          first = false;
          return Promise.resolve({ memberId: 'jdoe', memberHash: 'h'.repeat(8), memberContext: 'web' });
        },
      }),
    );
    await at(pod, 'view');
    await expect(pod.ask('GET', '/embed/sync')).rejects.toThrow();
    expect(pod.state.at).toBe('over');
  });
});

it('what was written is shown by the host, too', async () => {
  letsIn();
  const host = vouches();
  const pod = start(host);
  await at(pod, 'view');
  await pod.written();
  expect(host.refreshed).toBe(1);
});

it('a program that does not answer says so in words', async () => {
  letsIn();
  const pod = start(vouches());
  await at(pod, 'view');
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')));
  await expect(pod.ask('GET', '/embed/sync')).rejects.toMatchObject(new Fault({ action: 'Your agreements are unchanged. Check your connection, then try again.' }));
});

it('the address of the sign-in window holds the hash of the nonce, never the nonce', async () => {
  letsIn((a) => (a.body?.fallback ? { body: { nonce: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk', ends: soon(10), fallback: true } } : undefined));
  const pod = start(vouches());
  await at(pod, 'view');
  const way = await pod.prepare();
  expect(way.address).toBe(`/embed-sign-in/${key}?challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM`);
});
