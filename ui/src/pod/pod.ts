// What the pod knows and does without a line of it drawn: who looks, at which record, and
// what the server says of it. It runs before the rest of the page is loaded.
import { type Host, type HostRecord, HostSilent } from '../host/host';
import { type Challenge, Fault, type Place, placeOf, type Schemas, type Session, type View } from './model';

const answersWithin = 5000; // ms in which the host says who looks
const early = 5000; // ms before its end a token isn't used any more

/** Where the pod is. */
export type State =
  | { at: 'loading' }
  | { at: 'outside' } // no host, or a record that is neither agreement nor company
  | { at: 'unvouched'; fallback: boolean; fault?: Fault } // ConnectWise does not say who looks
  | { at: 'noAccess'; session: Session }
  | { at: 'fault'; fault: Fault }
  | { at: 'over' } // signed out, and the host vouches no more
  | { at: 'view'; view: View };

/** ConnectWise does not vouch for who looks. */
class Unvouched extends Error {
  readonly fallback: boolean;
  readonly fault?: Fault;

  constructor(fallback: boolean, fault?: Fault) {
    super('not vouched for');
    this.fallback = fallback;
    this.fault = fault;
  }
}

/** What the sign-in window is opened with; nothing in it is secret but the nonce, which stays here. */
export interface SignIn {
  nonce: string;
  address: string;
}

export class Pod {
  state: State = { at: 'loading' };
  /** Where the host stands. What is shown may be the company of it. */
  stands?: Place;
  shown?: Place;
  readonly key: string;
  private readonly host: Host;
  private readonly listeners = new Set<() => void>();
  private turn = new AbortController(); // of the place that is shown; what belongs to another is dropped
  private session?: Session;
  private tag = '';
  private renewing?: Promise<void>;

  constructor(key: string, host: Host) {
    this.key = key;
    this.host = host;
  }

  /** Begins where the address says, or where the host says when it says so. */
  start(screen: string, id: string) {
    this.host.onRecord = (r) => this.moved(r);
    this.host.start();
    if (!this.host.present) return this.set({ at: 'outside' });
    const place = placeOf(screen, id);
    if (place) return this.moved({ screen, id });
    setTimeout(() => this.stands || this.set({ at: 'outside' }), answersWithin);
  }

  subscribe = (on: () => void) => {
    this.listeners.add(on);
    return () => this.listeners.delete(on);
  };
  now = () => this.state;

  /** Shows a place from the beginning: a handshake, a session, and what is there. */
  async open(place: Place) {
    const turn = this.begin(place);
    this.set({ at: 'loading' });
    await this.guard(turn, async () => {
      await this.enter(turn.signal);
      await this.show();
    });
  }

  /** Shows the company in place of the agreement, or the agreement again. Refused: false, and all stays. */
  async widen(wide: boolean): Promise<boolean> {
    const before = { session: this.session, shown: this.shown, state: this.state };
    if (before.state.at !== 'view' || !this.stands) return false;
    const company = String(before.state.view.record.company.id);
    const turn = this.begin(wide ? { screen: 'company', id: company } : this.stands, true);
    try {
      await this.enter(turn.signal);
      void this.end(before.session);
      await this.show();
      return true;
    } catch {
      if (turn === this.turn) {
        this.session = before.session;
        this.shown = before.shown;
        this.tag = '';
        this.set(before.state);
      }
      return false;
    }
  }

  /** Reads the view again. A fault of it is thrown only to who asked. */
  async read() {
    const response = await this.send('GET', '/embed/view', undefined, this.tag ? { 'If-None-Match': this.tag } : {});
    if (response.status === 304) return;
    const view = await body<View>(response);
    this.tag = response.headers.get('ETag') ?? '';
    this.set({ at: 'view', view });
  }

  /** Something was written: the host reads its record again, and we the view. */
  async written() {
    this.host.refresh();
    await this.read();
  }

  /** Asks for JSON with the token. Fault: what it was refused with. */
  async ask<T>(method: string, path: string, sent?: unknown): Promise<T> {
    return body<T>(await this.send(method, path, sent));
  }

  /** Sends with the token, and once more with a new one when it is over. */
  async send(method: string, path: string, sent?: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    const turn = this.turn;
    const stop = signal ? AbortSignal.any([turn.signal, signal]) : turn.signal;
    const once = () => fetched(path, method, sent, { ...headers, Authorization: `Bearer ${this.session?.token}` }, stop);
    if (this.session && Date.now() > Date.parse(this.session.ends) - early) await this.renew(turn);
    let response = await once();
    if (response.status === 401) {
      await this.renew(turn);
      response = await once();
    }
    stop.throwIfAborted(); // it came for a record that isn't shown any more
    return response;
  }

  /** A nonce for the sign-in window: asked for before the click, which alone may open one. */
  async prepare(): Promise<SignIn> {
    const { nonce } = await this.challenge(true, this.turn.signal);
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(nonce)));
    const challenge = btoa(String.fromCharCode(...hash)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    return { nonce, address: `/embed-sign-in/${this.key}?challenge=${challenge}` };
  }

  /** Opens the sign-in window and shows the place when it gives its code. False: no window opened. */
  signIn(with_: SignIn, ended: () => void): boolean {
    const opened = window.open(with_.address, '_blank', 'popup,width=480,height=720');
    if (!opened) return false;
    const turn = this.turn;
    const over = () => {
      removeEventListener('message', hear);
      clearInterval(look);
    };
    const hear = (e: MessageEvent) => {
      const data = e.data as { trueup?: unknown; code?: unknown } | null;
      if (e.origin !== location.origin || e.source !== opened || data?.trueup !== 'code' || typeof data.code !== 'string') return;
      over();
      const code = data.code;
      void this.guard(turn, async () => {
        this.take(await this.claim('exchange', { nonce: with_.nonce, code }, turn.signal), turn.signal);
        await this.show();
      });
    };
    const look = setInterval(() => {
      if (!opened.closed && !turn.signal.aborted) return;
      over();
      ended();
    }, 500);
    addEventListener('message', hear);
    return true;
  }

  /** Gives the token back. */
  end(session = this.session) {
    if (!session?.token) return;
    return fetched('/embed/session', 'DELETE', undefined, { Authorization: `Bearer ${session.token}` }, undefined, true).catch(() => {});
  }

  private set(state: State) {
    this.state = state;
    for (const on of this.listeners) on();
  }

  private moved(r: HostRecord) {
    const place = placeOf(r.screen, r.id);
    const same = place?.screen === this.stands?.screen && place?.id === this.stands?.id;
    this.stands = place;
    if (!place) {
      this.begin(undefined);
      this.set({ at: 'outside' });
    } else if (!same) void this.open(place);
    else if (this.state.at === 'view') void this.read().catch(() => {}); // the host read it again, so do we
  }

  /** Leaves one place for another; the token of the old one is given back, unless it is kept. */
  private begin(place: Place | undefined, keep = false): AbortController {
    this.turn.abort();
    this.turn = new AbortController();
    if (!keep) void this.end();
    this.session = undefined;
    this.renewing = undefined;
    this.shown = place;
    this.tag = '';
    return this.turn;
  }

  private async show() {
    if (this.session && !this.session.role) return this.set({ at: 'noAccess', session: this.session });
    await this.read();
  }

  private async guard(turn: AbortController, run: () => Promise<void>) {
    try {
      await run();
    } catch (e) {
      if (turn === this.turn) this.fail(e);
    }
  }

  private fail(e: unknown) {
    if (e instanceof Unvouched) this.set({ at: 'unvouched', fallback: e.fallback, fault: e.fault });
    else this.set({ at: 'fault', fault: e instanceof Fault ? e : new Fault({ code: 'page_broken', detail: 'This page broke.' }) });
  }

  /** A token by the word of the host. The challenge is asked for meanwhile: neither needs the other. */
  private async enter(signal: AbortSignal, again = true): Promise<void> {
    const asked = this.challenge(false, signal);
    asked.catch(() => {}); // it is awaited below
    const member = await this.host.member(answersWithin).catch(async (e: unknown) => {
      throw e instanceof HostSilent ? new Unvouched((await asked).fallback) : e;
    });
    const { nonce, fallback } = await asked;
    try {
      this.take(await this.claim('session', { nonce, ...member }, signal), signal);
    } catch (e) {
      if (!(e instanceof Fault)) throw e;
      if (e.code === 'nonce_spent' && again) return this.enter(signal, false);
      if (e.code === 'member_refused' || e.code === 'manage_unreachable') throw new Unvouched(fallback, e);
      throw e;
    }
  }

  /** One new token for all who wait for one. What the sign-in window gave can't be renewed without it. */
  private renew(turn: AbortController): Promise<void> {
    this.renewing ??= (async () => {
      try {
        if (!this.session?.checked) throw new Unvouched(true);
        await this.enter(turn.signal);
      } catch (e) {
        if (turn === this.turn) {
          if (e instanceof Unvouched && !e.fallback) this.set({ at: 'over' });
          else this.fail(e);
        }
        throw e;
      } finally {
        if (turn === this.turn) this.renewing = undefined;
      }
    })();
    return this.renewing;
  }

  private take(session: Session, signal: AbortSignal) {
    signal.throwIfAborted();
    this.session = session;
  }

  private challenge(fallback: boolean, signal: AbortSignal) {
    return fetched(`/embed/${this.key}/challenge`, 'POST', fallback ? { fallback } : {}, {}, signal).then((r) => body<Challenge>(r));
  }

  private async claim(door: 'session' | 'exchange', of: object, signal: AbortSignal) {
    const claim = { ...of, screen: this.shown?.screen, recordId: this.shown?.id };
    return body<Session>(await fetched(`/embed/${this.key}/${door}`, 'POST', claim, {}, signal));
  }
}

/** A request to our own server: no cookie, nothing kept. Fault: it did not answer. */
async function fetched(path: string, method: string, sent: unknown, headers: Record<string, string>, signal?: AbortSignal, keepalive = false): Promise<Response> {
  try {
    return await fetch(`/api/v1${path}`, {
      method,
      signal,
      keepalive,
      credentials: 'omit',
      cache: 'no-store',
      headers: sent === undefined ? headers : { ...headers, 'Content-Type': 'application/json' },
      body: sent === undefined ? undefined : JSON.stringify(sent),
    });
  } catch (e) {
    if (signal?.aborted) throw e;
    throw new Fault({ action: 'Your agreements are unchanged. Check your connection, then try again.' });
  }
}

async function body<T>(response: Response): Promise<T> {
  const said: unknown = response.status === 204 ? undefined : await response.json().catch(() => undefined);
  if (response.ok) return said as T;
  const p = (said && typeof said === 'object' ? said : {}) as Partial<Schemas['Problem']>;
  throw new Fault({ ...p, status: response.status, code: p.code ?? 'unexpected', reference: p.reference ?? response.headers.get('X-Request-Id') ?? '' });
}
