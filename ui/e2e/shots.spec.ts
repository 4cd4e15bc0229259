import type { Locator, Page } from '@playwright/test';
import { expect, test } from './person';
import { still } from './still';

// The key screens as pictures, in e2e/__shots__: what a test of words and roles doesn't
// see. They are taken of the demonstration's world before any other test has changed it.
// `npx playwright test --project=pictures --update-snapshots` takes them anew: look at
// them before they are kept.

test.beforeEach(async ({ page }) => still(page));

/** A picture of the whole window, once everything that it asked for is there. */
async function shot(page: Page, name: string, ready: Locator, mask: Locator[] = []) {
  await expect(ready.first()).toBeVisible();
  await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
  await page.evaluate(() => document.fonts.ready);
  await page.mouse.move(0, 0);
  await expect(page).toHaveScreenshot(`${name}.png`, { mask, animations: 'disabled', caret: 'hide' });
}

const row = (page: Page, grid: string, of: string | RegExp) => page.getByRole('table', { name: grid }).getByRole('row').filter({ hasText: of });

test('overview', async ({ page }) => {
  await page.goto('/');
  await shot(page, 'overview', page.getByText('Licenses purchased'));
});

test('approvals, and one of them open', async ({ page }) => {
  // One customer's: the others stand in the order in which the first sync came to them.
  await page.goto('/approvals?q=fine+art');
  const grid = page.getByRole('table', { name: 'Changes that wait' });
  await expect(grid.getByRole('row')).toHaveCount(3); // the head, the customer, its change
  await shot(page, 'approvals', grid.getByRole('row').nth(2));
  await grid.locator('button[aria-expanded]').first().click();
  await shot(page, 'approvals-open', page.getByText(/Waiting since/));
});

test('license links, and one of them', async ({ page }) => {
  await page.goto('/links');
  await shot(page, 'links', page.getByRole('table', { name: 'Licenses' }).getByRole('row').nth(1));
  await page.goto('/links?q=litware');
  await row(page, 'Licenses', 'Litware').first().click();
  await shot(page, 'license', page.getByRole('dialog').getByText('assigned', { exact: false }));
});

test('customers, and one of them', async ({ page }) => {
  await page.goto('/customers');
  await shot(page, 'customers', page.getByRole('table', { name: 'Customers' }).getByRole('row').nth(1));
  await page.goto('/customers?q=litware');
  await row(page, 'Customers', 'Litware').click();
  await shot(page, 'customer', page.getByRole('tab', { name: 'Licenses', selected: true }));
});

test('billing profiles', async ({ page }) => {
  await page.goto('/profiles');
  await shot(page, 'profiles', page.getByText('M365 E5 - Annual'));
});

test('connections', async ({ page }) => {
  await page.goto('/connections');
  await shot(page, 'connections', page.getByRole('listitem', { name: 'ConnectWise Manage' }));
});

test('notifications', async ({ page }) => {
  await page.goto('/notifications');
  await shot(page, 'notifications', page.getByRole('heading', { level: 1 }));
});

test('a sync', async ({ page }) => {
  await page.goto('/customers?q=litware');
  await row(page, 'Customers', 'Litware').click();
  await page.getByRole('tab', { name: 'History' }).click();
  await page.getByRole('tabpanel').getByRole('row').nth(1).click();
  await shot(page, 'sync', page.getByRole('heading', { name: 'What Microsoft answered' }));
});

test('users', async ({ page }) => {
  await page.goto('/users');
  await shot(page, 'users', row(page, 'Users', 'Sam Carter'));
});
