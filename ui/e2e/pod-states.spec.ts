import { accessiblePod, expect, host, license, licenses, manage, podOf, problem, serve, session, shows, test, view, key, type Answers } from './pod';

const silentSync = { ...view().sync, state: 'running', step: 'fetch', done: 21, of: 50, startedBy: 'Ines Ferreira' };

/** Each state, what is seen of it first, and what the program answers for it. */
const states: [name: string, seen: string | RegExp, answers: () => Answers][] = [
  ['changes', '4 changes to bill', () => shows(view())],
  ['in sync', 'Every license is billed as it should be', () => shows(view({ licenses: licenses().filter((l) => !l.plan && l.link) }))],
  ['attention', '1 license needs attention', () => shows(view({ licenses: licenses().filter((l) => !l.plan), verdict: { waiting: 0, money: [], attention: 1, observing: false } }))],
  ['observing', 'only observes', () => shows(view({ verdict: { waiting: 4, money: [], attention: 0, observing: true } }))],
  ['read only', 'You can look but not approve', () => shows(view({ role: 'viewer', rights: { link: false, sync: false, approve: false, setUp: false } }))],
  ['syncing', 'Reading licenses, 21 of 50', () => shows(view({ sync: silentSync as never }), { 'GET /embed/events': 'silence' })],
  ['sync failed', 'The last sync failed', () => shows(view({ sync: { ...view().sync, lastStatus: 'failed', lastError: 'Microsoft did not answer.' } as never }))],
  ['stale connection', 'consent was withdrawn', () => shows(view({ connections: [{ kind: 'microsoft', name: 'partner', health: { state: 'broken', text: 'Microsoft refused the connection: consent was withdrawn.', action: 'Connect again.', checked: new Date().toISOString() } }] }))],
  ['signed in oneself', 'did not check', () => shows(view({ checked: false }))],
  ['no licenses', 'There are no licenses yet', () => shows(view({ licenses: [] }))],
  ['company', '4 changes to bill', () => shows(view({ record: { screen: 'company', id: 200, name: 'Northwind', company: { id: 200, name: 'Northwind' } } }))],
  ['company not added', 'This company is not connected yet', () => shows(view({ state: 'companyNotAdded', licenses: [] }))],
  ['not set up', 'Trueup is not set up', () => shows(view({ state: 'notSetUp', setupLeft: 5, licenses: [] }))],
  ['no access', /have access to license billing/, () => shows(view(), { [`POST /embed/${key}/session`]: session({ role: undefined }) })],
  ['record refused', 'ConnectWise does not show you this record', () => shows(view(), { [`POST /embed/${key}/session`]: problem(403, 'record_refused', 'Your role in ConnectWise does not show this record.', 'Ask an administrator of ConnectWise.') })],
  ['member refused', 'ConnectWise does not say who you are', () => shows(view(), { [`POST /embed/${key}/session`]: problem(401, 'member_refused', 'ConnectWise refused the session.', 'Sign in to ConnectWise again.') })],
  ['load error', 'Licenses could not be loaded', () => shows(view(), { 'GET /embed/view': problem(500, 'unexpected', 'Something went wrong here.', 'Your agreements are unchanged. Try again.') })],
];

for (const [name, seen, answers] of states) {
  test(`state: ${name}`, async ({ page }) => {
    await host(page);
    await serve(page, answers());
    await page.goto(`${manage}/agreements/1042`);
    const pod = await podOf(page);
    await expect(pod.getByText(seen).first()).toBeVisible();
    await accessiblePod(pod);
    if (process.env.SHOTS) {
      for (const width of [400, 600, 900, 1100]) {
        await page.locator('iframe').evaluate((f, w) => (f as HTMLElement).style.setProperty('width', `${w}px`), width);
        await page.locator('iframe').screenshot({ path: `${process.env.SHOTS}/${name.replaceAll(' ', '-')}-${width}.png` });
      }
    }
    expect(await pod.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)).toBe(true);
  });
}

test('outside of ConnectWise it says where to open it', async ({ page }) => {
  await serve(page, {});
  await page.goto(`https://trueup.example/embed/${key}?id=1&screen=agreement`);
  await expect(page.getByRole('heading', { name: 'Open this from an agreement or company in ConnectWise' })).toBeVisible();
});

test('what comes from outside is text', async ({ page }) => {
  const evil = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
  const bad = license(evil, { was: 1, will: 2, monthly: '1', profile: evil, agreement: { id: 1042, name: evil }, plan: { holds: [{ code: 'frozen', text: evil, action: evil, approvable: true, answers: [] }] } });
  await host(page);
  await serve(page, shows(view({ licenses: [bad], record: { screen: 'company', id: 200, name: evil, company: { id: 200, name: evil } } })));
  await page.goto(`${manage}/companies/200`);
  const pod = await podOf(page);
  await pod.getByRole('button', { name: evil }).first().click();
  await expect(pod.locator('.note.warn')).toContainText(evil);
  expect(await pod.evaluate(() => [document.querySelectorAll('img, script:not([nonce])').length, document.title])).toEqual([0, 'Microsoft licenses']);
});

test('a company is shown by agreement, too', async ({ page }) => {
  await host(page);
  await serve(page, shows(view({ record: { screen: 'company', id: 200, name: 'Northwind', company: { id: 200, name: 'Northwind' } } })));
  await page.goto(`${manage}/companies/200`);
  const pod = await podOf(page);
  await pod.getByRole('combobox', { name: 'Agreement' }).selectOption({ label: 'Managed Security #1077' });
  await expect(pod.locator('tr[data-license]')).toHaveCount(1);
  await pod.getByRole('combobox', { name: 'Agreement' }).selectOption({ label: 'Not on an agreement' });
  await pod.getByRole('tab', { name: 'All' }).click();
  await expect(pod.locator('tr[data-license]')).toHaveCount(2);
});

test('a change says everything of itself, and is approved after a question', async ({ page }) => {
  const asked = await (async () => {
    await host(page);
    const v = view();
    const results = v.licenses.flatMap((l) => (l.plan && !l.plan.postponed ? [{ link: l.plan.link, result: 'approved', text: '' }] : []));
    let done = false;
    return serve(
      page,
      shows(v, {
        'GET /embed/view': () => (done ? view({ licenses: licenses().filter((l) => !l.plan) }) : v),
        'POST /approvals/approve': { results },
        'GET /embed/sync': () => {
          done = true;
          return view().sync;
        },
        'GET /embed/events': problem(503, 'unexpected', 'No stream.', 'Ask.'),
      }),
    );
  })();
  await page.goto(`${manage}/agreements/1042`);
  const pod = await podOf(page);
  const row = pod.getByRole('button', { name: /Microsoft 365 Business Premium/ }).first();
  await row.click();
  await expect(pod.getByText('3 more')).toBeVisible();
  await expect(pod.locator('.ledger')).toContainText('87 × $28.60');
  await accessiblePod(pod);
  if (process.env.SHOTS) await page.locator('iframe').screenshot({ path: `${process.env.SHOTS}/detail.png` });
  await pod.getByRole('button', { name: 'Hold this change' }).click();
  await accessiblePod(pod);
  await row.click();

  await pod.locator('h1').click();
  await page.keyboard.press('a');
  await expect(pod.getByRole('region', { name: 'Selection' })).toContainText('4 selected, +$95.10 per month');
  await accessiblePod(pod);
  if (process.env.SHOTS) await page.locator('iframe').screenshot({ path: `${process.env.SHOTS}/selected.png` });
  await page.keyboard.press('Escape');
  await expect(pod.getByRole('region', { name: 'Selection' })).toBeHidden();
  await page.keyboard.press('a');
  await pod.getByRole('button', { name: 'Approve and apply' }).click();
  await expect(pod.getByRole('button', { name: 'Apply 4' })).toBeFocused();
  await expect(pod.getByRole('region', { name: 'Selection' })).toContainText('Write 4 quantities to ConnectWise, +$95.10 per month');
  await accessiblePod(pod);
  await page.keyboard.press('Enter');
  await expect(pod.getByText('4 applied.')).toBeVisible();
  await accessiblePod(pod);
  expect(asked.find((a) => a.what === 'POST /approvals/approve')?.body).toMatchObject({ plans: [{}, {}, {}, {}] });
  expect(asked.every((a) => a.what.startsWith(`POST /embed/${key}/`) || a.token === 'Bearer token-of-the-pod-1234')).toBe(true);
});

test('the form of a link: what fits, what it leads to, lines that must be answered', async ({ page }) => {
  const line = { id: 77, serial: '', role: 'other', product: 'M365-COPILOT', quantity: '5', unitPrice: '30', bill: 'billable', effective: '2026-01-01', description: '' };
  const plan = view().licenses[0]?.plan;
  await host(page);
  const asked = await serve(
    page,
    shows(view(), {
      'GET /embed/profiles': { items: [{ id: 1, name: 'Copilot', agreementTypes: [{ id: 3, name: 'Managed' }], product: 9, productName: 'Copilot', productPrice: '30', currency: 'USD', bill: 'billable', retired: false, links: 3, version: '1' }] },
      'GET /embed/agreements': {
        items: [
          { id: 1042, name: 'Managed 365', company: 200, type: 3, typeName: 'Managed', status: 'Active', active: true, prorate: false, currency: 'USD', usable: true, checks: [{ code: 'prorate_off', name: 'Proration', ok: false, needed: false, text: 'Prorate is off on this agreement:', action: 'increases bill from next month.' }] },
          { id: 9, name: 'Block of hours', company: 200, type: 4, typeName: 'Block', status: 'Active', active: true, prorate: false, currency: 'USD', usable: true, checks: [] },
        ],
      },
      ...Object.fromEntries(
        view()
          .licenses.filter((l) => !l.link)
          .map((l) => [`GET /licenses/${l.id}/suggestions`, { items: [] }]),
      ),
    }),
  );
  await page.context().route('**/link/preview', (route) =>
    route.fulfill({ json: { fingerprint: 'f'.repeat(64), plan, money: [], descriptions: ['Microsoft 365 Copilot\n9 users'], needsApproval: true, mayApprove: true, steps: [], foreign: [line], checks: [] } }),
  );
  await page.context().route('**/link', (route) => route.fulfill({ json: {} }));
  await page.goto(`${manage}/agreements/1042`);
  const pod = await podOf(page);
  await pod.getByRole('tab', { name: /Needs attention/ }).click();
  await pod.getByRole('button', { name: 'Link Microsoft 365 Copilot' }).click();
  const form = pod.getByRole('form', { name: 'Link Microsoft 365 Copilot' });
  await form.getByLabel('Billing profile').selectOption({ label: 'Copilot ($30.00)' });
  await expect(form.getByLabel('Agreement')).toHaveValue('1042');
  await expect(form.getByText('increases bill from next month.')).toBeVisible();
  await expect(form.getByLabel('Preview')).toContainText('84 becomes 87');
  await expect(form.getByRole('button', { name: 'Save and approve' })).toBeDisabled();
  await form.getByLabel(/Adopt it/).check();
  await form.getByText('More options').click();
  await accessiblePod(pod);
  if (process.env.SHOTS) {
    for (const width of [400, 900]) {
      await page.locator('iframe').evaluate((f, w) => Object.assign((f as HTMLElement).style, { width: `${w}px`, height: '1000px' }), width);
      await page.locator('iframe').screenshot({ path: `${process.env.SHOTS}/form-${width}.png` });
    }
  }
  await expect(form.getByRole('button', { name: 'Save and approve' })).toBeEnabled();
  const saved = page.waitForRequest((r) => r.method() === 'PUT' && r.url().endsWith('/link'));
  await form.getByRole('button', { name: 'Save and approve' }).click();
  expect((await saved).postDataJSON()).toEqual({ profile: 1, agreement: 1042, options: {}, answer: { kind: 'adopt', additions: [77] }, approve: 'f'.repeat(64) });
  expect(asked.length).toBeGreaterThan(0);
});

test('a line that was changed by hand says who, and takes an answer', async ({ page }) => {
  const v = view();
  const l = v.licenses[5];
  const drift = { link: l?.link?.key, customer: l?.customer, license: { id: l?.id, name: l?.name, partNumber: '' }, agreement: l?.link?.agreement, addition: 5531, left: l?.link?.lines[0], stands: { ...l?.link?.lines[0], quantity: '99' }, what: ['quantity'], by: 'jdoe', at: '2026-11-24T12:03:00Z', since: '2026-11-24' };
  await host(page);
  const asked = await serve(page, shows({ ...v, drift: [drift] } as never, { 'POST /drift/answers': { saved: 1 }, 'GET /embed/events': 'silence' }));
  await page.goto(`${manage}/agreements/1042`);
  const pod = await podOf(page);
  await pod.getByRole('tab', { name: /Needs attention/ }).click();
  await pod.getByRole('button', { name: /Entra/ }).click();
  await expect(pod.getByText('jdoe changed addition #5531 in ConnectWise (2026-11-24 12:03)')).toBeVisible();
  await accessiblePod(pod);
  if (process.env.SHOTS) await page.locator('iframe').screenshot({ path: `${process.env.SHOTS}/drift.png` });
  await pod.getByRole('button', { name: 'Set it back' }).click();
  await expect.poll(() => asked.find((a) => a.what === 'POST /drift/answers')?.body).toEqual({ items: [{ link: l?.link?.key, addition: 5531, answer: 'revert' }] });
});

test('all tabs by the keys, and history', async ({ page }) => {
  await host(page);
  await serve(page, shows(view(), { 'GET /embed/runs/run-1': { id: 'run-1', changes: view().licenses[0]?.plan?.changes ?? [], approvedBy: { g: 'Sam Carter' } } }));
  await page.goto(`${manage}/agreements/1042`);
  const pod = await podOf(page);
  await pod.getByRole('tab', { name: /Changes/ }).focus();
  for (const name of ['Needs attention', 'Unused', 'All', 'History']) {
    await page.keyboard.press('ArrowRight');
    await expect(pod.getByRole('tab', { name })).toBeFocused();
    await accessiblePod(pod);
    if (process.env.SHOTS) await page.locator('iframe').screenshot({ path: `${process.env.SHOTS}/tab-${name.replaceAll(' ', '-')}.png` });
  }
  await pod.getByRole('button', { name: /^Sync/ }).last().focus();
  await pod.locator('.history button').first().click();
  await expect(pod.getByText('approved by Sam Carter')).toBeVisible();
  await accessiblePod(pod);
  await page.keyboard.press('ArrowLeft');
});

test('another record in place: what belongs to the old one is dropped', async ({ page }) => {
  await host(page);
  let late: (() => void) | undefined;
  const asked = await serve(
    page,
    shows(view(), {
      'GET /embed/view': async () => {
        if (late) return view({ licenses: licenses().filter((l) => !l.plan && l.link) });
        await new Promise<void>((resolve) => {
          late = resolve;
        });
        return view();
      },
    }),
  );
  await page.goto(`${manage}/agreements/1042`);
  const pod = await podOf(page);
  await expect.poll(() => Boolean(late)).toBe(true);
  await page.evaluate(() => {
    const a = document.createElement('a');
    a.href = '/agreements/1077';
    a.dataset.to = 'agreement 1077';
    a.textContent = 'next';
    document.body.append(a);
  });
  await page.getByText('next').click();
  await expect(pod.getByText('Every license is billed as it should be')).toBeVisible();
  late?.();
  await expect(pod.getByText('Every license is billed as it should be')).toBeVisible();
  const sessions = asked.filter((a) => a.what === `POST /embed/${key}/session`).map((a) => a.body as { recordId: string });
  expect(sessions.map((s) => s.recordId)).toEqual(['1042', '1077']);
  expect(asked.some((a) => a.what === 'DELETE /embed/session')).toBe(true);
});

test('a token that is over is renewed by a new handshake, once for all', async ({ page }) => {
  await host(page);
  let sessions = 0;
  const asked = await serve(
    page,
    shows(view(), {
      [`POST /embed/${key}/session`]: () => session({ token: `token-of-the-pod-000${++sessions}` }),
      'GET /embed/runs': problem(404, 'not_found', 'No.', 'No.'),
      'POST /embed/sync': (route: { request(): { headers(): Record<string, string> } }) =>
        route.request().headers().authorization?.endsWith('2') ? { customers: [1], count: 1 } : problem(401, 'signed_out', 'The session is over.', 'Sign in again.'),
      'GET /embed/events': 'silence',
    }),
  );
  await page.goto(`${manage}/agreements/1042`);
  const pod = await podOf(page);
  await pod.getByRole('button', { name: 'Sync now' }).click();
  await expect(pod.getByRole('button', { name: 'Syncing…' })).toBeVisible();
  await expect.poll(() => asked.filter((a) => a.what === 'POST /embed/sync').map((a) => a.token?.slice(-1))).toEqual(['1', '2']);
  expect(sessions).toBe(2);
});

test('a host that says nothing: the own sign-in, by a code for this frame alone', async ({ page, context }) => {
  await host(page);
  const asked = await serve(page, shows(view({ checked: false }), { [`POST /embed/${key}/exchange`]: session({ checked: false }) }));
  await page.goto(`${manage}/agreements/1042?silent=1`);
  const pod = await podOf(page);
  await expect(pod.getByRole('heading', { name: 'ConnectWise does not say who you are' })).toBeVisible();
  await accessiblePod(pod);
  const opened = context.waitForEvent('page');
  await pod.getByRole('button', { name: 'Sign in to Trueup' }).click();
  const window_ = await opened;
  await window_.waitForURL(/embed-sign-in/);
  expect(new URL(window_.url()).search).toMatch(/^\?challenge=[A-Za-z0-9_-]{43}$/);
  await page.evaluate(() => document.querySelector('iframe')?.contentWindow?.postMessage({ trueup: 'code', code: 'forged-by-the-host-page' }, '*'));
  await window_.evaluate(() => (window.opener as Window).postMessage({ trueup: 'code', code: 'code-of-the-window-12' }, location.origin));
  await expect(pod.getByText('4 changes to bill')).toBeVisible();
  expect(asked.filter((a) => a.what.endsWith('/exchange')).map((a) => a.body)).toEqual([{ nonce: 'nonce-of-the-challenge', code: 'code-of-the-window-12', screen: 'agreement', recordId: '1042' }]);
});

test('a workspace that forbids it, and a window that does not open, lead to the dashboard', async ({ page }) => {
  await host(page);
  await serve(page, shows(view(), { [`POST /embed/${key}/challenge`]: { nonce: 'nonce-of-the-challenge', ends: '', fallback: false }, [`POST /embed/${key}/session`]: problem(502, 'manage_unreachable', 'ConnectWise did not answer.', 'Try again.') }));
  await page.goto(`${manage}/agreements/1042`);
  const pod = await podOf(page);
  await expect(pod.getByRole('link', { name: 'Open the dashboard' })).toBeVisible();
  await accessiblePod(pod);
});

test('who is not the host is not heard, and who may not frame it sees nothing', async ({ page, context }) => {
  await host(page);
  await context.route('https://evil.example/**', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><script>for (let i = 0; i < parent.frames.length; i++) parent.frames[i].postMessage(JSON.stringify({ event: "onLoad", _id: "1", data: { screenObject: { screen: "agreement", id: 666 } } }), "*")</script>' }),
  );
  const asked = await serve(page, shows(view()));
  await page.goto(`${manage}/agreements/1042`);
  const pod = await podOf(page);
  await expect(pod.getByText('4 changes to bill')).toBeVisible();
  const before = asked.length;
  await page.evaluate(async () => {
    const sibling = document.createElement('iframe');
    sibling.src = 'https://evil.example/';
    const sandboxed = document.createElement('iframe');
    sandboxed.sandbox.add('allow-scripts');
    sandboxed.srcdoc = '<script>parent.frames[0].postMessage(JSON.stringify({ event: "onLoad", data: { screenObject: { screen: "agreement", id: 667 } } }), "*")</script>';
    const loaded = [sibling, sandboxed].map((f) => new Promise((resolve) => f.addEventListener('load', resolve)));
    document.body.append(sibling, sandboxed);
    await Promise.all(loaded);
  });
  await pod.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  expect(asked.slice(before).filter((a) => a.what.endsWith('/session'))).toEqual([]);
});

for (const parent of ['https://evil.example', 'https://manage.example.evil.example', 'http://manage.example']) {
  test(`framed by ${parent} it stays empty`, async ({ page, context }) => {
    const asked = await serve(page, shows(view()));
    await context.route(`${parent}/**`, (route) => route.fulfill({ contentType: 'text/html', body: `<!doctype html><title>x</title><iframe src="https://trueup.example/embed/${key}?id=1042&screen=agreement"></iframe>` }));
    await page.goto(`${parent}/`);
    await expect.poll(() => page.frames().at(1)?.url()).toMatch(/^chrome-error:/);
    expect(asked).toEqual([]);
  });
}

test('in a sandbox of no origin it stays empty', async ({ page, context }) => {
  const asked = await serve(page, shows(view()));
  await context.route(`${manage}/**`, (route) => route.fulfill({ contentType: 'text/html', headers: { 'Content-Security-Policy': 'sandbox allow-scripts' }, body: `<!doctype html><iframe src="https://trueup.example/embed/${key}?id=1042&screen=agreement"></iframe>` }));
  await page.goto(`${manage}/`);
  await expect.poll(() => page.frames().at(1)?.url()).toMatch(/^chrome-error:/);
  expect(asked).toEqual([]);
});
