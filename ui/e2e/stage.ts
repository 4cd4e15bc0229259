import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { code } from './code';

/** How somebody signs in the first time: the password works once. */
export interface Login {
  email: string;
  password: string;
}

/** What the stage says when it is ready. */
export interface Stage {
  url: string;
  /** The administrator: the password is the one that was set, and codes of recovery are left. */
  email: string;
  password: string;
  recovery: string[];
  technician: Login;
}

/** A stage on which nobody has an account, and mail can be sent. */
export interface Bare {
  url: string;
  /** The link of the first administrator. */
  first: string;
  /** Where the mails that were sent are listed. */
  mails: string;
}

export const password = 'Harbour-lantern-42-quartz';
/** The cookies of the administrator, with which all tests begin that don't say otherwise. */
export const signedIn = 'test-results/person.json';

/** Starts simulators and program, says what the stage says, and what takes everything down. */
export async function start(...args: string[]): Promise<{ line: string; end: () => Promise<void> }> {
  const root = new URL('../../', import.meta.url).pathname;
  const stage = spawn(`${root}bin/stage`, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => stage.once('exit', () => resolve()));
  const end = () => {
    stage.stdin.end();
    return ended;
  };
  for await (const line of createInterface({ input: stage.stdout })) {
    if (line.startsWith('{')) return { line, end };
  }
  throw new Error('the stage ended before it was ready');
}

/** Starts the stage and signs the administrator in, once for all tests. */
export default async function setUp() {
  const { line, end } = await start();
  try {
    const told = JSON.parse(line) as Stage;
    process.env.STAGE = JSON.stringify({ ...told, password, recovery: await enter(told, told) });
  } catch (error) {
    await end();
    throw error;
  }
  return end;
}

export const stage = (): Stage => JSON.parse(process.env.STAGE ?? '{}') as Stage;

/** What the administrator's browser says that it is. */
const agent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';

/** Signs in the first time, keeps the cookies in a file, and answers with the recovery codes. */
export async function enter({ url }: { url: string }, who: Login, file = signedIn): Promise<string[]> {
  const jar = new Map<string, string>();
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', 'User-Agent': agent, Cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      jar.set(name, value);
    }
    return JSON.parse(text) as Record<string, unknown>;
  };
  await ask('POST', '/session', { email: who.email, password: who.password });
  await ask('PUT', '/me/password', { current: who.password, password });
  const { key } = await ask('POST', '/me/mfa');
  const { codes } = await ask('PUT', '/me/mfa', { code: code(String(key)) });
  const cookies = [...jar].map(([name, value]) => ({ name, value, domain: new URL(url).hostname, path: '/', expires: -1, httpOnly: true, secure: false, sameSite: 'Lax' }));
  mkdirSync('test-results', { recursive: true });
  writeFileSync(file, JSON.stringify({ cookies, origins: [] }));
  return codes as string[];
}
