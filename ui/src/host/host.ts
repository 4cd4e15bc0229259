// The frame of ConnectWise around the pod, by its Hosted API: what is said to it and heard
// from it. Nothing else here knows that there is a host.
//
// Every message is a JSON string. The host is believed when the message comes from its
// origin and from the window that frames us, and it is spoken to at that origin only. What
// comes may be older or newer than what is known: names in any case, ids that lack, events
// that nobody asked for; those are answered too, for a host that hears nothing lets nobody
// save.

/** A record of Manage: the kind of screen, in small letters, and its number. */
export interface HostRecord {
  screen: string;
  id: string;
}

/** What the host gives of the member who looks. The hash is as good as a password. */
export interface Member {
  memberId: string;
  memberHash: string;
  memberContext: string;
}

/** The host did not say who looks. */
export class HostSilent extends Error {
  constructor() {
    super('the host did not answer');
  }
}

interface Frame {
  readonly parent: { postMessage(message: string, origin: string): void };
  addEventListener(type: 'message', on: (e: MessageEvent) => void): void;
  addEventListener(type: 'load', on: () => void): void;
}

type Fields = Record<string, unknown>;
const longest = 256 * 1024; // characters of a message; the tokens of a sign-in are some thousands
const patience = 1000; // ms until a host that gives frames no id is taken for one

/** A field by its name in any case. */
function field(of: unknown, name: string): unknown {
  if (!of || typeof of !== 'object') return undefined;
  for (const [key, value] of Object.entries(of)) if (key.toLowerCase() === name) return value;
  return undefined;
}

function word(of: unknown, name: string): string {
  const value = field(of, name);
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

/** Whether a text is an origin that can be spoken to: scheme, host and port, written as browsers write it. */
export function isOrigin(text: string): boolean {
  return /^https?:\/\/[a-z0-9.:[\]-]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

export class Host {
  /** Told of every record that the host shows, also of the same one again. */
  onRecord: (record: HostRecord) => void = () => {};
  private readonly origin: string;
  private readonly own: Frame;
  private frameID = '';
  private heard = false;
  private wanted = false; // a request for the member is under way
  private waiting: ((data: unknown) => void)[] = [];

  /** origin is the host's, exactly. Nobody is spoken to where it is none, or where nobody frames us. */
  constructor(origin: string, own: Frame = window) {
    this.origin = origin;
    this.own = own;
  }

  /** Whether there is a host to speak to. */
  get present(): boolean {
    return isOrigin(this.origin) && (this.own.parent as unknown) !== this.own;
  }

  /** Says that we are ready; again when all is loaded, for a host that began to listen then. */
  start() {
    if (!this.present) return;
    this.own.addEventListener('message', (e) => this.hear(e));
    this.own.addEventListener('load', () => this.heard || this.say({ message: 'ready' }));
    this.say({ message: 'ready' });
  }

  /** Asks who looks, anew each time: what comes is used once and kept nowhere. HostSilent after so many ms. */
  member(within: number): Promise<Member> {
    return new Promise((resolve, reject) => {
      if (!this.present) return reject(new HostSilent());
      const over = setTimeout(() => this.settle(take) && reject(new HostSilent()), within);
      const take = (data: unknown) => {
        clearTimeout(over);
        const member = { memberId: word(data, 'memberid'), memberHash: word(data, 'memberhash'), memberContext: word(data, 'membercontext') };
        if (member.memberId && member.memberHash) resolve(member);
        else reject(new HostSilent());
      };
      this.waiting.push(take);
      this.wanted = true;
      if (this.frameID || this.heard) this.ask();
      else setTimeout(() => this.wanted && !this.frameID && this.ask(), patience);
    });
  }

  /** Lets the host read its record again: something was written. */
  refresh() {
    this.request('refreshScreen');
  }

  private settle(take: (data: unknown) => void): boolean {
    const before = this.waiting.length;
    this.waiting = this.waiting.filter((w) => w !== take);
    this.wanted = this.waiting.length > 0;
    return this.waiting.length < before;
  }

  private ask() {
    this.request('getMemberAuthentication');
  }

  private request(name: string) {
    this.say({ hosted_request: name, ...(this.frameID && { frameID: this.frameID }) });
  }

  private say(message: Fields) {
    if (this.present) this.own.parent.postMessage(JSON.stringify(message), this.origin);
  }

  private hear(e: MessageEvent) {
    if (e.origin !== this.origin || e.source !== (this.own.parent as unknown)) return;
    if (typeof e.data !== 'string' || e.data.length > longest) return;
    let message: unknown;
    try {
      message = JSON.parse(e.data);
    } catch {
      return;
    }
    const first = !this.heard;
    this.heard = true;
    const frameID = word(message, 'messageframeid');
    if (frameID) {
      const known = this.frameID === frameID;
      this.frameID = frameID;
      if (this.wanted && !known) this.ask();
    } else if (first && this.wanted) this.ask();
    const event = word(message, 'event');
    if (event) this.event(event, message);
    if (word(message, 'response').toLowerCase() === 'getmemberauthentication') this.response(field(message, 'data'));
  }

  private event(event: string, message: unknown) {
    const id = field(message, '_id');
    this.say({ event, ...(id !== undefined && { _id: id }), result: 'success', ...(this.frameID && { frameID: this.frameID }) });
    if (event.toLowerCase() !== 'onload') return;
    const data = field(message, 'data');
    const shown = field(data, 'screenobject') ?? data;
    const record = { screen: word(shown, 'screen').toLowerCase(), id: word(shown, 'id') };
    if (record.screen && /^\d{1,10}$/.test(record.id)) this.onRecord(record);
  }

  private response(data: unknown) {
    const waiting = this.waiting;
    this.waiting = [];
    this.wanted = false;
    for (const take of waiting) take(data);
  }
}
