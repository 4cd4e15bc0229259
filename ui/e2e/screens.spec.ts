import { accessible, expect, test } from './person';

test('the overview says how all of it stands', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toContainText(/waiting|Nothing needs you|need/);
  await expect(page.getByText('Billed per month')).toBeVisible();
  await accessible(page);
});

test('licenses: filter by address, open by keyboard, see why and who', async ({ page }) => {
  await page.goto('/links');
  const grid = page.getByRole('table', { name: 'Licenses' });
  await expect(grid.getByRole('row').nth(1)).toBeVisible();
  await accessible(page);

  await page.keyboard.press('/');
  await page.keyboard.type('no license is called this');
  await expect(page.getByRole('heading', { name: 'No license is like that' })).toBeVisible();
  await expect(page).toHaveURL(/q=no\+license/);
  await accessible(page);
  await page.getByRole('button', { name: 'Clear filters' }).first().click();
  await expect(grid.getByRole('row').nth(1)).toBeVisible();

  await page.locator('h1').click();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  const drawer = page.getByRole('dialog');
  await expect(drawer.getByText('assigned', { exact: false }).first()).toBeVisible();
  await expect(page).toHaveURL(/license=/);
  await accessible(page);
  await drawer.getByText('Who holds it').click();
  await expect(drawer.getByText(/held it on|Not known for/).first()).toBeVisible();
  await accessible(page);
  await drawer.getByText(/^Why /).click();
  await expect(drawer.getByText(/billed on|It is not linked/).first()).toBeVisible();
  await accessible(page);
  await drawer.getByText('Subscriptions').click();
  await expect(drawer.getByText('Part number')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(drawer).toBeHidden();
});

test('licenses: what is selected can be linked at once', async ({ page }) => {
  await page.goto('/links');
  const boxes = page.getByRole('table', { name: 'Licenses' }).getByRole('checkbox');
  await boxes.nth(1).check();
  await boxes.nth(2).check();
  await expect(page.getByText('2 selected')).toBeVisible();
  await page.getByRole('button', { name: 'Do not bill…' }).click();
  await expect(page.getByRole('dialog').getByRole('heading', { name: 'Do not bill 2 licenses' })).toBeVisible();
  await accessible(page);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Rules' }).click();
  await expect(page.getByRole('heading', { name: 'Rules for all customers' })).toBeVisible();
  await accessible(page);
});

test('approvals: look, select, confirm or cancel', async ({ page }) => {
  await page.goto('/approvals');
  await expect(page.getByRole('heading', { name: 'Approvals' })).toBeVisible();
  const grid = page.getByRole('table', { name: 'Changes that wait' });
  await expect(grid.getByRole('row').nth(2)).toBeVisible();
  await accessible(page);
  await grid.locator('button[aria-expanded]').first().click();
  await expect(page.getByText(/Waiting since/)).toBeVisible();
  await accessible(page);
  await grid.getByRole('checkbox', { disabled: false }).last().check();
  await page.locator('h1').click();
  await page.keyboard.press('a');
  await expect(page.getByRole('region', { name: 'Selection' })).toContainText('to ConnectWise');
  await expect(page.getByRole('button', { name: /^Apply/ })).toBeFocused();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Approval rules' }).click();
  await expect(page.getByRole('dialog').getByLabel('Ask above so many seats')).toBeVisible();
  await accessible(page);
});

test('customers: from the list to one of them, and all its tabs', async ({ page }) => {
  await page.goto('/customers');
  const grid = page.getByRole('table', { name: 'Customers' });
  await expect(grid.getByRole('row').nth(1)).toBeVisible();
  await accessible(page);
  await grid.getByRole('row').nth(1).click();
  await expect(page).toHaveURL(/\/customers\/\d+/);
  for (const tab of ['Licenses', 'Agreements', 'Users', 'History', 'Settings']) {
    await page.getByRole('tab', { name: tab }).click();
    await expect(page.getByRole('tab', { name: tab })).toHaveAttribute('aria-selected', 'true');
    await expect(page.getByRole('tabpanel').locator('[aria-busy=true]')).toHaveCount(0);
    await expect(page.getByRole('tabpanel').getByText('could not be loaded')).toHaveCount(0);
    await accessible(page);
  }
});

test('history: a sync, what it wrote, and what it read', async ({ page }) => {
  await page.goto('/history');
  const grid = page.getByRole('table', { name: 'Syncs' });
  await expect(grid.getByRole('row').nth(1)).toBeVisible();
  await accessible(page);
  await grid.getByRole('row').nth(1).click();
  await expect(page.getByRole('heading', { name: 'What Microsoft answered' })).toBeVisible();
  await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
  await accessible(page);
});

test('keys go to screens and list themselves; an address without a screen says so', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('h');
  await expect(page).toHaveURL(/\/history/);
  await expect(page.getByRole('heading', { name: 'Sync history' })).toBeVisible();
  await page.keyboard.press('Shift+?');
  await expect(page.getByRole('dialog').getByText('Next and previous row')).toBeVisible();
  await accessible(page);
  await page.goto('/nowhere');
  await expect(page.getByRole('heading', { name: 'There is nothing at this address' })).toBeVisible();
  await accessible(page);
});

test('on a phone nothing is wider than the screen', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const path of ['/', '/approvals', '/links', '/customers', '/history']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await page.evaluate(() => document.getElementById('screen')?.scrollWidth)).toBeLessThanOrEqual(390);
  }
  await page.getByRole('button', { name: 'Navigation' }).click();
  await expect(page.getByRole('navigation').getByRole('link', { name: 'Approvals' })).toBeVisible();
  await accessible(page);
});
