import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test as base, expect, type Frame, type Page, type Route } from '@playwright/test';
import type { AxeResults } from 'axe-core';
import type { License, Plan, Session, View } from '../src/pod/model';

// The pod in every state that it can be shown in, without a program behind it: what the
// program answers is written here, and its pages are the built ones under the policy that
// the program sends. What the program itself does is looked at in pod.spec.ts.

export const ours = 'https://trueup.example';
export const manage = 'https://manage.example';
export const key = 'aaaabbbbccccdddd1111';
const dist = process.env.UI_DIST ?? new URL('../dist', import.meta.url).pathname;
const page = new URL('../../server/sim/hostpage/page/', import.meta.url).pathname;

type Answer = unknown | ((route: Route) => unknown);
/** What the program answers, by method and path; a Problem where status is told. */
export type Answers = Record<string, Answer>;
export const problem = (status: number, code: string, detail: string, action: string) => ({ status, code, detail, action, type: 'about:blank', title: code, reference: '7F3A-19C2' });

const types: Record<string, string> = { js: 'text/javascript', css: 'text/css', html: 'text/html; charset=utf-8' };
const file = (route: Route, path: string, more: Record<string, string> = {}, change = (text: string) => text) =>
  route.fulfill({ body: change(readFileSync(path, 'utf8')), headers: { 'Content-Type': types[path.split('.').pop() ?? ''] ?? 'text/plain', ...more } });

export const policy = (nonce: string, framing: string) =>
  `default-src 'none'; script-src 'self' 'nonce-${nonce}'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors ${framing}`;

/** Serves the pod's page and pieces, and answers its questions. What it asked is kept. */
export async function serve(at: Page, answers: Answers) {
  const asked: { what: string; body?: unknown; token?: string }[] = [];
  await at.context().route(`${ours}/**`, async (route) => {
    const url = new URL(route.request().url());
    if (url.pathname.startsWith('/embed/')) {
      return file(route, `${dist}/embed.html`, { 'Content-Security-Policy': policy('n0nce', manage), 'Cache-Control': 'no-store' }, (t) => t.replaceAll('__CSP_NONCE__', 'n0nce').replaceAll('__MANAGE_ORIGIN__', manage));
    }
    if (url.pathname.startsWith('/assets/')) return file(route, `${dist}${url.pathname}`);
    if (!url.pathname.startsWith('/api/v1/')) return route.fulfill({ body: '<!doctype html><title>Dashboard</title>', headers: { 'Content-Type': 'text/html' } });
    const what = `${route.request().method()} ${url.pathname.slice('/api/v1'.length)}`;
    asked.push({ what, body: route.request().postDataJSON() as unknown, token: route.request().headers().authorization });
    const answer = answers[what];
    if (answer === undefined) return route.fulfill({ status: 404, json: problem(404, 'not_found', 'There is nothing.', 'Look elsewhere.') });
    const said = typeof answer === 'function' ? await (answer as (r: Route) => unknown)(route) : answer;
    if (said === 'silence') return undefined;
    const status = (said as { status?: unknown } | null)?.status;
    return route.fulfill({ status: typeof status === 'number' ? status : 200, json: said });
  });
  return asked;
}

/** Serves a Manage with one pod on each record. */
export async function host(at: Page) {
  await at.context().route(`${manage}/**`, async (route) => {
    const url = new URL(route.request().url());
    const [, , kind, screen = '', id = ''] = url.pathname.split('/');
    if (kind === 'static') return file(route, `${page}${url.pathname.split('/').pop()}`);
    if (kind === 'members') return route.fulfill({ json: [{ id: 1, identifier: 'scarter', name: 'Sam Carter', signedIn: true }] });
    if (kind === 'authentication') return route.fulfill({ json: { site: manage, companyid: 'northwind', memberid: 'scarter', memberHash: 'hash-of-the-member', memberContext: 'web' } });
    if (kind === 'records') {
      const pods = [{ id: 1, title: 'Licenses', url: `${ours}/embed/${key}?id=${id}&screen=${screen}`, origin: ours, height: 560, as: 'pod' }];
      return route.fulfill({ json: { screen, id: Number(id), name: `Record ${id}`, company: { id: 200, name: 'Coho' }, facts: [], additions: [], agreements: [], pods } });
    }
    return file(route, `${page}page.html`);
  });
}

/** The pod's frame, once it says something. */
export async function podOf(at: Page): Promise<Frame> {
  const frame = await (await at.locator('iframe').elementHandle())?.contentFrame();
  if (!frame) throw new Error('there is no frame');
  return frame;
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** No accessibility fault in the pod, in light and in dark. */
export async function accessiblePod(frame: Frame) {
  if (!(await frame.evaluate(() => 'axe' in window))) await frame.evaluate(axe);
  for (const theme of ['light', 'dark']) {
    const faults = await frame.evaluate(async (name) => {
      document.documentElement.dataset.theme = name;
      const { run } = (window as unknown as { axe: { run: (c: Element, o: object) => Promise<AxeResults> } }).axe;
      const found = await run(document.documentElement, { resultTypes: ['violations'], preload: false, iframes: false });
      return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html}: ${n.failureSummary}`).join(' | ')}`);
    }, theme);
    expect(faults.map((f) => `${theme}: ${f}`)).toEqual([]);
  }
  await frame.evaluate(() => delete document.documentElement.dataset.theme);
}

/** A page that fails when the pod breaks its policy, throws, or asks another site. */
export const test = base.extend<{ page: Page }>({
  storageState: { cookies: [], origins: [] },
  page: async ({ page: at }, use) => {
    const faults: string[] = [];
    await at.addInitScript(() => document.addEventListener('securitypolicyviolation', (e) => console.error(`policy broken: ${e.violatedDirective} ${e.blockedURI}`)));
    at.on('console', (m) => m.text().startsWith('policy broken') && faults.push(m.text()));
    at.on('pageerror', (e) => faults.push(String(e)));
    await use(at);
    expect(faults).toEqual([]);
  },
});
export { expect };

/* ---- what the program answers ---- */

const customer = { id: 1, company: 200, identifier: 'Northwind', name: 'Northwind Dental Group' };
const guid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const usd = (monthly: string) => ({ currency: 'USD', monthly, nextInvoice: monthly });
const addition = (quantity: number, price: string, more: object = {}) => ({ id: 5531, serial: 'TU-1', role: 'standing' as const, product: 'M365-BP', quantity: String(quantity), unitPrice: price, bill: 'billable' as const, effective: '2026-12-01', description: 'Microsoft 365 Business Premium\n87 users', url: `${manage}/agreements/1042`, ...more });

let made = 0;
/** A license with its link, and a plan where was and will differ. */
export function license(name: string, more: { was?: number; will?: number; price?: string; monthly?: string; profile?: string; agreement?: { id: number; name: string }; plan?: Partial<Plan> } & Omit<Partial<License>, 'monthly' | 'plan'> = {}): License {
  const n = ++made;
  const { was = 6, will = was, price = '5.20', monthly = '0', profile = name, agreement = { id: 1042, name: 'Managed 365' }, plan, ...rest } = more;
  const id = `${guid(1)}.${guid(n)}`;
  const link = `abcdefg${String(n).padStart(3, 'a')}`;
  const waits = was !== will || plan;
  return {
    id,
    customer,
    tenant: guid(1),
    sku: guid(n),
    partNumber: name.toUpperCase().replaceAll(' ', '_').slice(0, 24),
    name,
    companyWide: false,
    purchased: will + 3,
    assigned: will,
    unused: 0,
    grace: 0,
    subscriptions: [],
    state: waits ? 'changes' : 'linked',
    billed: was,
    unitPrice: price,
    monthly: { currency: 'USD', amount: '31.20' },
    link: {
      key: link,
      license: id,
      profile: { id: 1, name: profile },
      agreement,
      options: { users: 'none', description: '', showUnassigned: false, basis: 'assigned', included: 0, minimum: 0, allowNegativeProrate: false, billGrace: true },
      lines: [addition(was, price)],
      billed: was,
      version: '1',
    },
    ...(waits && {
      plan: {
        link,
        customer,
        license: { id, name, partNumber: name },
        fingerprint: 'f'.repeat(64),
        direction: will > was ? 'increase' : 'decrease',
        odd: false,
        approvable: true,
        holds: [],
        changes: [{ group: 'g', link, license: name, action: 'update', state: 'held', reason: 'Counts assigned users.', seats: { seen: will, billed: will }, money: usd(monthly), before: addition(was, price), after: addition(will, price), additionId: 5531 }],
        seats: { seen: will, billed: will },
        was,
        money: usd(monthly),
        since: '2026-11-20',
        ...plan,
      },
    }),
    ...rest,
  } as License;
}

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
export const licenses = () => [
  license('Microsoft 365 Business Premium', { was: 84, will: 87, price: '28.60', monthly: '85.80', profile: 'M365 Business Premium', unused: 13, unusedMonthly: { currency: 'USD', amount: '371.80' } }),
  license('Microsoft 365 Business Basic', { was: 38, will: 40, price: '7.80', monthly: '15.60' }),
  license('Exchange Online (Plan 1)', { was: 21, will: 18, monthly: '-15.60', profile: 'Mailbox only' }),
  license('Microsoft Defender for Office 365 (Plan 1)', { was: 84, will: 87, price: '3.10', monthly: '9.30', profile: 'Security add-on', agreement: { id: 1077, name: 'Managed Security' } }),
  license('Microsoft 365 Copilot', { state: 'unlinked', link: undefined, purchased: 12, assigned: 9, unused: 3 }),
  license('Microsoft Entra ID P2', { profile: 'Security add-on', agreement: { id: 1077, name: 'Managed Security' } }),
  license('Visio Plan 2', { was: 5, profile: 'Project & Visio' }),
  license('Teams Phone Standard', { was: 9, will: 4, monthly: '-40', plan: { postponed: { until: '2027-01-15', reason: 'the customer hires in January', by: 'Ines Ferreira', at: ago(90) } } }),
  license('Microsoft Power Automate Free', { state: 'doNotBill', link: { key: 'abcdefgzzz', license: '', doNotBill: 'Free license', options: {}, lines: [], billed: 0, version: '1' } as never, purchased: 10000, assigned: 31 }),
];

export function view(more: Partial<View> = {}): View {
  const of = more.licenses ?? licenses();
  const waiting = of.filter((l) => l.plan && !l.plan.postponed);
  return {
    state: 'ready',
    record: { screen: 'agreement', id: 1042, name: 'Managed 365', company: { id: 200, name: customer.name } },
    customer: 1,
    checked: true,
    role: 'billing',
    rights: { link: true, sync: true, approve: true, setUp: true },
    verdict: { waiting: waiting.length, money: waiting.length ? [usd('95.10')] : [], attention: 0, observing: false, nextSync: ago(-600) },
    totals: { licenses: of.length, purchased: 324, assigned: 287, unused: 37, unusedMonthly: [{ currency: 'USD', amount: '564.40' }], billed: [{ currency: 'USD', amount: '4100' }] },
    licenses: of,
    drift: [],
    connections: [],
    sync: { customer, state: 'idle', failures: 0, lastAt: ago(12), lastStatus: 'done' },
    runs: [
      { id: 'run-1', customer, trigger: 'approval', by: 'Sam Carter', status: 'done', day: '2026-11-24', startedAt: ago(12), finishedAt: ago(11), changes: 4, written: 4, held: 0, failed: 0, money: [usd('95.10')] },
      { id: 'run-2', customer, trigger: 'nightly', status: 'held', day: '2026-11-23', startedAt: ago(900), finishedAt: ago(899), changes: 5, written: 1, held: 4, failed: 0, money: [usd('4.80')] },
    ],
    administrators: ['Sam Carter', 'Ines Ferreira'],
    ...more,
  } as View;
}

export const session = (more: Partial<Session> = {}): Session => ({
  token: 'token-of-the-pod-1234',
  ends: ago(-10),
  record: { screen: 'agreement', id: 1042, name: 'Managed 365', company: { id: 200, name: customer.name } },
  name: 'Sam Carter',
  member: 'scarter',
  role: 'billing',
  checked: true,
  administrators: ['Sam Carter', 'Ines Ferreira'],
  ...more,
});

/** A program that lets the member in and shows a view. */
export const shows = (v: View, more: Answers = {}): Answers => ({
  [`POST /embed/${key}/challenge`]: { nonce: 'nonce-of-the-challenge', ends: ago(-1), fallback: true },
  [`POST /embed/${key}/session`]: session(),
  'DELETE /embed/session': {},
  'GET /embed/view': v,
  ...more,
});
