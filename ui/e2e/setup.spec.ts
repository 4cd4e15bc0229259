import type { Locator, Page } from '@playwright/test';
import { Hand } from './hand';
import { accessible, code, expect, test as base } from './person';
import { password, start } from './stage';

/** What a person has at hand on the first day. */
interface FirstDay {
  url: string;
  first: string;
  hands: Record<'site' | 'company' | 'publicKey' | 'privateKey' | 'clientId' | 'tenant' | 'app' | 'secret' | 'manage' | 'microsoft', string>;
}

const test = base.extend<object, { day: FirstDay }>({
  day: [
    // oxlint-disable-next-line no-empty-pattern -- the runner reads the names of what is wanted
    async ({}, use) => {
      const { line, end } = await start('-empty');
      await use(JSON.parse(line) as FirstDay);
      await end();
    },
    { scope: 'worker', timeout: 180_000 },
  ],
  baseURL: async ({ day }, use) => use(day.url),
  elsewhere: async ({ day }, use) => use(new Set([day.url])),
});
test.use({ storageState: { cookies: [], origins: [] } });

const most = 25; // clicks, fills and keys beyond the keys of connections

/** Tells a simulator what to do, or looks into it. */
async function ask(url: string, body?: unknown): Promise<unknown> {
  const response = await fetch(url, body === undefined ? {} : { method: 'PATCH', body: JSON.stringify(body) });
  expect(response.ok, url).toBe(true);
  return response.json();
}

const at = (page: Page, title: string) => expect(page.getByRole('heading', { level: 2, name: title, exact: true })).toBeVisible();
const button = (page: Page, name: string | RegExp): Locator => page.getByRole('button', { name });

async function signsIn(page: Page, hand: Hand, day: FirstDay) {
  await page.goto(day.first);
  await hand.fill(page.getByLabel('Company'), 'Northwind IT');
  await hand.fill(page.getByLabel('Your name'), 'Sam Carter');
  await hand.fill(page.getByLabel('E-mail'), 'sam@msp.example');
  await hand.fill(page.getByRole('textbox', { name: 'Password', exact: true }), password);
  await hand.fill(page.getByRole('textbox', { name: 'Password again' }), password);
  await hand.press('Enter');
  const key = (await page.locator('[data-key]').textContent()) ?? '';
  await hand.fill(page.getByLabel('Code that the app shows'), code(key));
  await hand.press('Enter');
  await hand.click(page.getByLabel('I saved them'));
  await hand.click(button(page, 'Continue'));
}

async function connectsConnectWise(page: Page, hand: Hand, day: FirstDay) {
  await at(page, 'ConnectWise');
  await accessible(page);
  await hand.fill(page.getByRole('combobox', { name: 'Site' }), day.hands.site);
  await hand.fill(page.getByLabel('Company id'), day.hands.company);
  await hand.paste(page.getByLabel('Public key'), day.hands.publicKey);
  await hand.paste(page.getByLabel('Client id'), day.hands.clientId);
  const secret = page.getByRole('textbox', { name: 'Private key' });
  await hand.paste(secret, 'not this one');
  await hand.press('Enter');
  await expect(page.getByRole('alert')).toContainText('key');
  await expect(page.getByText('Public and private key', { exact: true })).toBeVisible();
  await expect(button(page, 'Copy for my admin')).toBeVisible();
  await accessible(page);
  await hand.paste(secret, day.hands.privateKey);
  await hand.press('Enter');
  await expect(page.getByText('✓ It works')).toBeVisible();
  await expect(page.getByText('Through when are your agreements invoiced?')).toBeVisible();
  await accessible(page);
  await hand.click(button(page, 'That is right, continue'));
}

async function connectsMicrosoft(page: Page, hand: Hand, day: FirstDay) {
  await at(page, 'Microsoft');
  await accessible(page);
  await hand.fill(page.getByLabel('Your tenant'), day.hands.tenant);
  await hand.paste(page.getByLabel('Application (client) id'), day.hands.app);
  await hand.paste(page.getByRole('textbox', { name: 'Client secret' }), day.hands.secret);
  await ask(`${day.hands.microsoft}/settings`, { DeclineConsent: true });
  await hand.click(button(page, 'Connect with Microsoft'));
  const refused = page.getByRole('alert');
  await expect(refused).toContainText('AADSTS65004');
  await expect(refused).toContainText(/[Cc]onsent|declined|refused/);
  await accessible(page);
  await ask(`${day.hands.microsoft}/settings`, { DeclineConsent: false });
  const [tab] = await Promise.all([page.waitForEvent('popup'), hand.click(button(page, 'Connect with Microsoft'))]);
  await expect(page.getByText('Validated')).toBeVisible();
  await expect.poll(() => tab.isClosed()).toBe(true); // the page that waited heard of it
  await expect(page.getByText('✓ It works')).toBeVisible();
  await expect(page.getByText('admin@northwind-msp.example')).toBeVisible();
  await accessible(page);
  await hand.click(button(page, 'Continue'));
}

test('from an empty workspace to the first synced customer', async ({ page, day }) => {
  const hand = new Hand(page);
  await signsIn(page, hand, day);
  await connectsConnectWise(page, hand, day);

  await at(page, 'Notifications');
  await expect(page.getByRole('combobox', { name: 'A sync failed: how often' })).toHaveValue('At once');
  await accessible(page);
  await hand.click(button(page, 'Save and continue'));

  await at(page, 'Billing profiles');
  await expect(page.getByText('2 products on active agreements look like Microsoft licenses.')).toBeVisible();
  await accessible(page);
  await hand.click(button(page, 'Make 2 profiles and continue'));

  await connectsMicrosoft(page, hand, day);

  await at(page, 'Customers');
  await expect(page.getByText('<b>Fabrikam</b> & "Sons"').first()).toBeVisible();
  await expect(page.getByText('شركة النور').first()).toBeVisible();
  await expect(page.getByText('Likely', { exact: true }).first()).toBeVisible();
  await accessible(page);
  await hand.click(button(page, 'Add 4 customers and continue'));

  await at(page, 'License links');
  await expect(page.getByText('It has a line of 10 already (#21001).')).toBeVisible();
  await expect(page.getByText('Nothing is billed here', { exact: false })).toBeVisible();
  await accessible(page);
  await hand.click(button(page, /^Save \d+ links and continue$/));

  await at(page, 'First sync');
  await expect(page.getByText('Nothing has been written.')).toBeVisible();
  expect(await ask(`${day.hands.manage}/agreements/4000/additions`)).toHaveLength(1);
  await accessible(page);
  await hand.click(button(page, /^Write these \d+ changes$/));
  await expect(page.getByText('Set-up is done.')).toBeVisible();
  hand.note('First sign-in to the first synced customer', most);
  expect(hand.count).toBeLessThanOrEqual(most);
  await accessible(page);

  const lines = (await ask(`${day.hands.manage}/agreements/4000/additions`)) as { quantity: string; serialNumber?: string }[];
  expect(lines.filter((l) => l.serialNumber).map((l) => Number(l.quantity))).toContain(12);
  await page.goto('/');
  await expect(page.getByText('Billed per month')).toBeVisible();
  await expect(page.getByRole('link', { name: /^Set-up/ })).toHaveCount(0);
  await page.context().storageState({ path: 'test-results/first-day.json' });
});
