import { readFile } from 'node:fs/promises';
import { accessible, code, expect, test } from './person';
import { password, stage } from './stage';

test('users: found by address; the last administrator stays one', async ({ page }) => {
  await page.goto('/users?q=sam');
  const grid = page.getByRole('table', { name: 'Users' });
  await expect(grid.getByRole('row')).toHaveCount(2);
  await expect(grid.getByText('(you)')).toBeVisible();
  await accessible(page);
  await grid.getByText('Sam Carter').click();
  await expect(page).toHaveURL(/user=\d+/);
  const drawer = page.getByRole('dialog');
  await expect(drawer.getByText('Make someone else an administrator first.').first()).toBeVisible();
  await expect(drawer.getByRole('button', { name: 'Remove…' })).toBeDisabled();
  await expect(drawer.getByText(/, this one/)).toBeVisible();
  await accessible(page);
  await page.keyboard.press('Escape');
  await expect(drawer).toBeHidden();
  await page.getByRole('textbox', { name: 'User' }).fill('nobody is called this');
  await expect(page.getByRole('heading', { name: 'Nobody is like that' })).toBeVisible();
  await expect(page).toHaveURL(/q=nobody/);
});

test('users: invited with a link to hand over, changed, let in again, removed', async ({ page, browser }) => {
  const ria = 'ria@msp.example';
  await page.goto('/users');
  await page.getByRole('button', { name: 'Invite…' }).click();
  const inviting = page.getByRole('dialog', { name: 'Invite somebody' });
  await inviting.getByLabel('E-mail').fill(ria);
  await accessible(page);
  await inviting.getByRole('button', { name: 'Invite', exact: true }).click();
  await expect(inviting.getByText('No mail went to')).toBeVisible();
  const link = new URL((await inviting.locator('[data-once]').textContent()) ?? '');
  await accessible(page);
  await inviting.getByRole('button', { name: 'Done' }).click();

  // She comes in with it, and sets up an authenticator.
  const theirs = await browser.newContext({ storageState: { cookies: [], origins: [] }, baseURL: stage().url });
  const api = (path: string) => `${stage().url}/api/v1${path}`;
  await theirs.request.post(api('/invitations/accept'), { data: { token: link.hash.slice(1), name: 'Ria Sommer', password } });
  const { key } = (await (await theirs.request.post(api('/me/mfa'))).json()) as { key: string };
  expect((await theirs.request.put(api('/me/mfa'), { data: { code: code(key) } })).ok()).toBe(true);

  await page.reload();
  await page.getByRole('table', { name: 'Users' }).getByText('Ria Sommer').click();
  const drawer = page.getByRole('dialog');
  await drawer.getByRole('textbox', { name: 'ConnectWise member' }).fill('RSommer');
  await drawer.getByRole('textbox', { name: 'Role' }).or(drawer.getByRole('combobox', { name: 'Role' })).click();
  await page.getByRole('option', { name: 'Billing' }).click();
  await expect(drawer.getByText('Approves changes, keeps billing profiles and approval rules.')).toBeVisible();
  await drawer.getByRole('button', { name: 'Save' }).click();
  await expect(drawer.getByText('Saved.')).toBeVisible();

  await drawer.getByRole('button', { name: 'Send a link for a new password' }).click();
  await expect(drawer.locator('[data-once]')).toContainText('/reset#');
  await drawer.getByLabel('Code of your own authenticator').fill('000000');
  await drawer.getByRole('button', { name: 'Reset authenticator' }).click();
  await expect(drawer.getByRole('alert')).toContainText('The code is wrong or was used already.');
  await accessible(page);
  await drawer.getByLabel('Code of your own authenticator').fill(stage().recovery[0] ?? '');
  await drawer.getByRole('button', { name: 'Reset authenticator' }).click();
  await expect(drawer.getByText('The authenticator is taken away.')).toBeVisible();
  expect((await theirs.request.get(api('/session'))).status()).toBe(401); // that ended her session
  await theirs.close();

  await drawer.getByRole('button', { name: 'Remove…' }).click();
  const sure = page.getByRole('dialog', { name: 'Remove this user?' });
  await expect(sure.getByRole('button', { name: 'Remove' })).toBeDisabled();
  await accessible(page);
  await sure.getByRole('textbox', { name: 'Name of the user' }).fill('Ria Sommer');
  await sure.getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByRole('table', { name: 'Users' }).getByText('Ria Sommer')).toHaveCount(0);
});

test('invitations: sent again, and taken back', async ({ page }) => {
  await page.goto('/users?tab=invitations');
  await expect(page.getByRole('heading', { name: 'No invitation is open' })).toBeVisible();
  await accessible(page);
  await page.getByRole('button', { name: 'Invite…' }).click();
  await page.getByLabel('E-mail').fill('jo@msp.example');
  await page.getByRole('button', { name: 'Invite', exact: true }).click();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: 'Send again to jo@msp.example' }).click();
  await expect(page.getByRole('dialog', { name: 'A new link was made' }).locator('[data-once]')).toContainText('/invitation#');
  await accessible(page);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Take back the invitation of jo@msp.example' }).click();
  await expect(page.getByRole('heading', { name: 'No invitation is open' })).toBeVisible();
});

test('tokens: a secret that is shown once, works, and ends', async ({ page, request }) => {
  await page.goto('/users?tab=tokens');
  await expect(page.getByRole('heading', { name: 'No program has a token' })).toBeVisible();
  await page.getByRole('button', { name: 'New token…' }).click();
  const drawer = page.getByRole('dialog');
  await drawer.getByRole('textbox', { name: 'Name' }).fill('Warehouse <b>');
  await accessible(page);
  await drawer.getByRole('button', { name: 'Make the token' }).click();
  const secret = (await drawer.locator('[data-once]').textContent()) ?? '';
  expect(secret).toMatch(/^tu_/);
  await accessible(page);
  await drawer.getByRole('button', { name: 'I have it' }).click();
  await expect(page.getByText(`…${secret.slice(-4)}`)).toBeVisible();
  await expect(page.getByText(secret)).toHaveCount(0);
  await accessible(page);
  const asks = async () => (await fetch(`${stage().url}/api/v1/overview`, { headers: { Authorization: `Bearer ${secret}` } })).status;
  expect(await asks()).toBe(200);
  await page.getByRole('button', { name: 'End Warehouse <b>' }).click();
  await page.getByRole('dialog', { name: 'End this token?' }).getByRole('button', { name: 'End the token' }).click();
  await expect(page.getByRole('heading', { name: 'No program has a token' })).toBeVisible();
  expect(await asks()).toBe(401);
  expect((await request.get('/api/v1/tokens')).ok()).toBe(true);
});

test('signing in: nobody locks themselves out, and no provider lets everybody in', async ({ page }) => {
  await page.goto('/users?tab=security');
  const networks = page.getByRole('textbox', { name: 'Networks from which it can be used' });
  await networks.fill('203.0.113.0/24');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText(/Your own address, .* would not be allowed/).first()).toBeVisible();
  await accessible(page);
  await networks.fill('203.0.113.0/24\n127.0.0.1');
  await page.getByRole('switch', { name: 'An authenticator is required' }).click();
  await expect(page.getByText('A password alone lets people in.', { exact: false })).toBeVisible();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  await page.reload();
  await expect(networks).toHaveValue('203.0.113.0/24\n127.0.0.1');
  await networks.fill('');
  await page.getByRole('switch', { name: 'An authenticator is required' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();

  await page.getByRole('button', { name: 'Set up…' }).click();
  const drawer = page.getByRole('dialog');
  await expect(drawer.locator('[data-once]')).toContainText('/api/v1/session/openid/callback');
  await drawer.getByRole('textbox', { name: 'Issuer' }).fill('https://login.microsoftonline.com/common/v2.0');
  await drawer.getByRole('textbox', { name: 'Client id' }).fill('trueup');
  await drawer.getByRole('textbox', { name: 'Client secret' }).fill('not-a-real-one');
  await drawer.getByRole('textbox', { name: 'Speaks for' }).fill('msp.example');
  await drawer.getByRole('button', { name: 'Test and save' }).click();
  await expect(drawer.getByText('The issuer names no tenant', { exact: false }).first()).toBeVisible();
  await accessible(page);
});

test('the audit log: filters in the address, before and after, and the same as CSV', async ({ page }) => {
  const { settings, version } = (await (await page.request.get('/api/v1/workspace/security')).json()) as { settings: { sessionHours: number }; version: string };
  const saved = await page.request.put('/api/v1/workspace/security', { headers: { 'If-Match': `"${version}"` }, data: { ...settings, sessionHours: settings.sessionHours + 1 } });
  expect(saved.ok()).toBe(true);
  await page.goto('/audit?what=sign_in_policy_saved');
  const grid = page.getByRole('table', { name: 'What was done' });
  await expect(grid.getByText('Changed how people sign in.').first()).toBeVisible();
  await accessible(page);
  await grid.getByRole('button', { name: 'Changed how people sign in.' }).first().click();
  const row = grid.getByRole('row', { name: /^Session hours/ });
  await expect(row.getByText(String(settings.sessionHours), { exact: true })).toBeVisible();
  await expect(row.getByText(String(settings.sessionHours + 1), { exact: true })).toBeVisible();
  await accessible(page);

  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export CSV' }).click()]);
  const sheet = await readFile(await download.path(), 'utf8');
  expect(sheet).toContain('Changed how people sign in.');
  expect(sheet).not.toContain('Signed in');

  await page.getByRole('textbox', { name: 'Who' }).fill('nobody did this');
  await expect(page.getByRole('heading', { name: 'Nothing is like that' })).toBeVisible();
  await expect(page).toHaveURL(/who=nobody/);
  await accessible(page);
  await page.getByRole('button', { name: 'Clear filters' }).first().click();
  await expect(grid.getByText('Signed in').first()).toBeVisible();
  await page.getByLabel('From').fill('2020-01-01');
  await page.getByLabel('To', { exact: true }).fill('2020-01-02');
  await expect(page.getByRole('heading', { name: 'Nothing is like that' })).toBeVisible();
});

test('on a phone users and audit are no wider than the screen', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const path of ['/users', '/users?tab=tokens', '/users?tab=security', '/audit']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
    expect(await page.evaluate(() => document.getElementById('screen')?.scrollWidth)).toBeLessThanOrEqual(390);
  }
});
