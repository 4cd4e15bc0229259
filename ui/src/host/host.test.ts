import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Host, type HostRecord, HostSilent, isOrigin } from './host';

const manage = 'https://na.myconnectwise.net';

/** A window with a parent, as a frame of Manage sees it. */
function framed(origin = manage) {
  const said: { message: Record<string, unknown>; to: string }[] = [];
  const on: Record<string, ((e: unknown) => void)[]> = {};
  const parent = { postMessage: (message: string, to: string) => said.push({ message: JSON.parse(message) as Record<string, unknown>, to }) };
  const own = { parent, addEventListener: (type: string, f: (e: never) => void) => (on[type] ??= []).push(f as (e: unknown) => void) };
  const host = new Host(origin, own as never);
  const records: HostRecord[] = [];
  host.onRecord = (r) => records.push(r);
  const hear = (data: unknown, from: { origin?: string; source?: unknown; data?: unknown } = {}) => {
    for (const f of on.message ?? []) f({ data: typeof data === 'string' ? data : JSON.stringify(data), origin: manage, source: parent, ...from });
  };
  const load = () => (on.load ?? []).forEach((f) => f({}));
  return { host, said, hear, load, records, requests: () => said.map((s) => s.message.hosted_request).filter(Boolean) };
}

const onLoad = (id: unknown, more: object = {}) => ({ event: 'onLoad', _id: '7', data: { screenObject: { screen: 'agreement', id, hostedAs: 'pod' } }, ...more });
const answer = { response: 'getmemberauthentication', data: { site: manage, companyid: 'northwind', memberid: 'jdoe', memberHash: 'secret-hash', memberContext: 'web' }, _id: '9' };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the host', () => {
  it('is told that we are ready, at its own origin only, and once more when all is loaded', () => {
    const f = framed();
    f.host.start();
    f.load();
    expect(f.said).toEqual([
      { message: { message: 'ready' }, to: manage },
      { message: { message: 'ready' }, to: manage },
    ]);
  });

  it('is not told again when it was heard', () => {
    const f = framed();
    f.host.start();
    f.hear({ MessageFrameID: 'f1' });
    f.load();
    expect(f.said).toHaveLength(1);
  });

  it('gives the frame an id twice, and is asked once', () => {
    const f = framed();
    f.host.start();
    void f.host.member(5000).catch(() => {});
    f.hear({ MessageFrameID: 'f1' });
    f.hear({ MessageFrameID: 'f1' });
    expect(f.said.filter((s) => s.message.hosted_request)).toEqual([{ message: { hosted_request: 'getMemberAuthentication', frameID: 'f1' }, to: manage }]);
  });

  it('hears every event answered, known or not, with its id and the frame', () => {
    const f = framed();
    f.host.start();
    f.hear({ MessageFrameID: 'f1' });
    f.hear(onLoad(444));
    f.hear({ event: 'beforeSave', _id: 12, data: {} });
    f.hear({ event: 'somethingNew' });
    expect(f.said.slice(1).map((s) => s.message)).toEqual([
      { event: 'onLoad', _id: '7', result: 'success', frameID: 'f1' },
      { event: 'beforeSave', _id: 12, result: 'success', frameID: 'f1' },
      { event: 'somethingNew', result: 'success', frameID: 'f1' },
    ]);
  });

  it('shows records, whatever the case of its fields and the form of its numbers', () => {
    const f = framed();
    f.host.start();
    f.hear(onLoad(444));
    f.hear({ Event: 'OnLoad', Data: { ScreenObject: { Screen: 'Company', ID: '12' } } });
    f.hear({ event: 'onLoad', data: { screen: 'agreement', id: 5 } });
    expect(f.records).toEqual([
      { screen: 'agreement', id: '444' },
      { screen: 'company', id: '12' },
      { screen: 'agreement', id: '5' },
    ]);
  });

  it.each([['-1'], ['1 or 1=1'], [''], ['99999999999'], [1.5], [null], [{}]])('is not believed that a record is called %j', (id) => {
    const f = framed();
    f.host.start();
    f.hear(onLoad(id));
    expect(f.records).toEqual([]);
    expect(f.said.at(-1)?.message).toMatchObject({ event: 'onLoad', result: 'success' });
  });

  it('says who looks', async () => {
    const f = framed();
    f.host.start();
    f.hear({ MessageFrameID: 'f1' });
    const member = f.host.member(5000);
    f.hear(answer);
    await expect(member).resolves.toEqual({ memberId: 'jdoe', memberHash: 'secret-hash', memberContext: 'web' });
  });

  it('is asked anew each time', async () => {
    const f = framed();
    f.host.start();
    f.hear({ MessageFrameID: 'f1' });
    const first = f.host.member(5000);
    f.hear(answer);
    await first;
    const second = f.host.member(5000);
    f.hear({ ...answer, data: { ...answer.data, memberHash: 'another' } });
    await expect(second).resolves.toMatchObject({ memberHash: 'another' });
    expect(f.requests()).toHaveLength(2);
  });

  it('is asked without an id of the frame where it gives none', () => {
    const f = framed();
    f.host.start();
    void f.host.member(5000).catch(() => {});
    expect(f.requests()).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(f.said.at(-1)?.message).toEqual({ hosted_request: 'getMemberAuthentication' });
    f.hear({ MessageFrameID: 'late' });
    expect(f.said.at(-1)?.message).toEqual({ hosted_request: 'getMemberAuthentication', frameID: 'late' });
  });

  it('that says nothing is given up', async () => {
    const f = framed();
    f.host.start();
    const member = expect(f.host.member(5000)).rejects.toBeInstanceOf(HostSilent);
    vi.advanceTimersByTime(5000);
    await member;
    f.hear(answer); // comes too late, for nobody
  });

  it('that gives no hash has said nothing', async () => {
    const f = framed();
    f.host.start();
    f.hear({ MessageFrameID: 'f1' });
    const member = expect(f.host.member(5000)).rejects.toBeInstanceOf(HostSilent);
    f.hear({ response: 'getmemberauthentication', data: { memberid: 'jdoe' } });
    await member;
  });

  it('reads its record again', () => {
    const f = framed();
    f.host.start();
    f.hear({ MessageFrameID: 'f1' });
    f.host.refresh();
    expect(f.said.at(-1)).toEqual({ message: { hosted_request: 'refreshScreen', frameID: 'f1' }, to: manage });
  });
});

describe('who is not the host', () => {
  it.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['an origin that begins like it', { origin: 'https://na.myconnectwise.net.evil.example' }],
    ['an origin that ends like it', { origin: 'https://xna.myconnectwise.net' }],
    ['it without encryption', { origin: 'http://na.myconnectwise.net' }],
    ['it on another port', { origin: 'https://na.myconnectwise.net:8443' }],
    ['a sandbox', { origin: 'null' }],
    ['a sibling frame of its own origin', { source: {} }],
    ['nobody', { source: null }],
  ])('%s is not heard', (_, from) => {
    const f = framed();
    f.host.start();
    f.hear({ MessageFrameID: 'evil' }, from);
    f.hear(onLoad(666), from);
    f.hear(answer, from);
    expect(f.records).toEqual([]);
    expect(f.said).toHaveLength(1); // the ready of the start
  });

  it.each([['{'], ['null'], ['[]'], ['"text"'], ['12'], ['x'.repeat(300_000)]])('what is no message is not heard: %.20s', (data) => {
    const f = framed();
    f.host.start();
    f.hear(data);
    expect(f.said).toHaveLength(1);
  });

  it('an object in place of text is not heard', () => {
    const f = framed();
    f.host.start();
    f.hear('', { data: onLoad(444) });
    expect(f.records).toEqual([]);
    expect(f.said).toHaveLength(1);
  });

  it.each([[''], ['__MANAGE_ORIGIN__'], ['null'], ['*'], ['https://*.myconnectwise.net'], ['https://na.myconnectwise.net/'], ['javascript:alert(1)'], ['file://x']])('nobody is spoken to at %s', (origin) => {
    const f = framed(origin);
    f.host.start();
    f.host.refresh();
    expect(f.host.present).toBe(false);
    expect(f.said).toEqual([]);
  });

  it('a page that nobody frames has no host', async () => {
    const own = { addEventListener: () => {} } as Record<string, unknown>;
    own.parent = own;
    const host = new Host(manage, own as never);
    host.start();
    expect(host.present).toBe(false);
    await expect(host.member(10)).rejects.toBeInstanceOf(HostSilent);
  });
});

it('an origin is scheme, host and port, and nothing more', () => {
  expect(['https://a.example', 'http://localhost:8080', 'https://a.example:444'].every(isOrigin)).toBe(true);
  expect(['https://a.example:443', 'https://A.example', 'https://a.example/x', 'a.example', 'about:blank'].some(isOrigin)).toBe(false);
});
