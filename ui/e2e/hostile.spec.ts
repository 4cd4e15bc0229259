import { existsSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, test as base } from './person';
import { enter, type Stage, start } from './stage';

// Whatever somebody outside may write is text: the names of companies, agreements,
// products, lines, licenses, tenants and people hold markup, scripts, quotes, characters
// that turn the direction of writing, and words of 174 letters.

const kept = 'test-results/hostile.json';
const test = base.extend<object, { hostile: Stage }>({
  hostile: [
    // oxlint-disable-next-line no-empty-pattern -- the runner reads the names of what is wanted
    async ({}, use) => {
      const { line, end } = await start('-hostile');
      const told = JSON.parse(line) as Stage;
      await enter(told, told, kept);
      await use(told);
      await end();
    },
    { scope: 'worker', timeout: 240_000 },
  ],
  baseURL: async ({ hostile }, use) => use(hostile.url),
  storageState: async ({ hostile }, use) => use(hostile && existsSync(kept) ? kept : undefined),
});

const company = `<img src=x onerror=alert('company')> "Fabrikam" & 'Sons'`;
const agreement = "<script>window.hostile='agreement'</script>";
const sku = "<script>window.hostile='sku'</script>";
const tenant = "<img src=x onerror=alert('tenant')>";
const user = `<img src=x onerror=alert('user')> "Quoted" O'Neil`;
const profile = "<img src=x onerror=alert('profile')>";
const connection = "<img src=x onerror=alert('connection')>";
const type = `"Managed" <img src=x onerror=alert('type')>`;
const rtl = 'شركة النور';
const long = 'Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch';

/** What is written outside stands there as it is written, nothing of it lives, and the window doesn't scroll sideways. */
async function asText(page: Page, ...texts: string[]) {
  for (const text of texts) await expect(page.getByText(text).first(), text).toBeAttached();
  await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
  await expect(page.locator('img[src=x], #hostile')).toHaveCount(0);
  expect(await page.evaluate(() => 'hostile' in window)).toBe(false);
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth), 'the page is wider than its window').toBeLessThanOrEqual(width);
  }
}

test('what is written outside is text on every screen', async ({ page }) => {
  page.on('dialog', (dialog) => {
    void dialog.dismiss();
    throw new Error(`a dialog: ${dialog.message()}`);
  });
  const looks = async (path: string, ...texts: string[]) => {
    await test.step(path, async () => {
      await page.goto(path);
      await expect(page.getByRole('heading', { level: 1 }).first()).toBeVisible();
      await asText(page, ...texts);
    });
  };
  const { items } = (await (await page.request.get('/api/v1/customers')).json()) as { items: { id: number; name: string }[] };
  const id = items.find((c) => c.name === company)?.id;
  const runs = (await (await page.request.get('/api/v1/runs')).json()) as { items: { id: string; customer: { id: number }; written: number }[] };
  const licenses = (await (await page.request.get('/api/v1/licenses')).json()) as { items: { id: string; name: string; customer: { id: number } }[] };
  const ofCompany = licenses.items.find((l) => l.customer.id === id && l.name.includes('Premium'))?.id;

  await looks('/', company);
  await looks('/approvals', company, agreement);
  await page.getByRole('table', { name: 'Changes that wait' }).locator('button[aria-expanded]').first().click();
  await expect(page.getByText(/Waiting since/).first()).toBeVisible();
  await asText(page, company);
  await looks('/links', company, rtl, long, sku, profile, agreement);
  for (const tab of ['link', 'why', 'who', 'about']) await looks(`/links?license=${ofCompany}&tab=${tab}`, company, profile);
  await looks('/customers', company, rtl, long);
  await looks(`/customers/${id}`, company, sku, profile, agreement);
  await looks(`/customers/${id}?tab=agreements`, agreement, type);
  await looks(`/customers/${id}?tab=users`, user);
  await looks(`/customers/${id}?tab=history`, company);
  await looks(`/customers/${id}?tab=settings`, tenant, connection);
  for (const c of items.filter((other) => other.id !== id)) await looks(`/customers/${c.id}`, c.name);
  await looks('/history', company, rtl, long);
  for (const r of runs.items.slice(0, 3)) await looks(`/history/${r.id}`);
  await looks('/profiles', profile, long);
  await looks('/connections', connection);
  await looks('/notifications');
  await looks('/cutover');
  await looks('/settings');
  await looks('/users');
  await looks('/audit');
});
