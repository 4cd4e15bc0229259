import { answer, asRole, broken } from './answers';
import { accessible, expect, test } from './person';

test('notifications: choose, save, and be asked before leaving without', async ({ page }) => {
  await page.goto('/notifications');
  await expect(page.getByRole('heading', { name: 'Notifications' })).toBeVisible();
  await expect(page.getByText("can't send mail")).toBeVisible();
  await expect(page.getByRole('button', { name: 'Send a test' })).toBeDisabled();
  await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
  await accessible(page);

  const weekly = page.getByRole('radio', { name: 'Sync failed: Weekly' });
  await weekly.check();
  await expect(page.getByRole('region', { name: 'Changes' })).toBeVisible();
  await accessible(page);
  await page.getByRole('link', { name: 'Customers' }).click();
  await expect(page.getByText('You have changes that are not saved.')).toBeVisible();
  await page.getByRole('button', { name: 'Stay' }).click();
  await expect(page).toHaveURL(/\/notifications/);
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  await page.reload();
  await expect(weekly).toBeChecked();
  await page.getByRole('radio', { name: 'Sync failed: At once' }).check();
  await page.getByRole('button', { name: 'Discard' }).click();
  await expect(weekly).toBeChecked();
});

test('notifications: a mute has a reason and an end, and can be ended', async ({ page }) => {
  await page.goto('/notifications');
  await page.getByRole('button', { name: 'Mute…' }).click();
  const form = page.getByRole('form', { name: 'Mute' });
  await expect(form.getByRole('button', { name: 'Mute it' })).toBeDisabled();
  await form.getByRole('combobox', { name: 'Kind' }).or(form.getByRole('textbox', { name: 'Kind' })).click();
  await page.getByRole('option', { name: 'Unassigned seats' }).click();
  await form.getByRole('button', { name: '30 days' }).click();
  await form.getByRole('textbox', { name: 'Reason' }).fill('They hire in <b>May</b>');
  await accessible(page);
  await form.getByRole('button', { name: 'Mute it' }).click();
  await expect(page.getByText('They hire in <b>May</b>')).toBeVisible();
  await accessible(page);
  await page.getByRole('button', { name: /^Tell again/ }).click();
  await expect(page.getByText('Nothing is muted.')).toBeVisible();
});

test('notifications: bounces, what was told, what breaks, and only to look at', async ({ page }) => {
  const settings = { choices: [{ kind: 'syncFailed', how: 'daily' }], digestAt: '08:00', weekday: 1 };
  await answer(page, '/me/notifications', { settings, version: '1', mail: true, lastSent: '2026-03-01T08:00:00Z', lastFailed: '2026-03-02T08:00:00Z', lastError: '550 no such mailbox.' });
  const told = { id: 1, kind: 'syncFailed', text: 'Contoso could not be synced.', action: 'Look at its last sync.', at: '2026-03-02T08:00:00Z', customer: { id: 1, company: 1, identifier: 'C', name: 'Contoso' } };
  await answer(page, '/notifications', { items: Array.from({ length: 50 }, (_, i) => ({ ...told, id: i + 1 })), next: 'more' });
  await page.goto('/notifications');
  await expect(page.getByRole('alert')).toContainText('550 no such mailbox.');
  await expect(page.getByRole('button', { name: 'Show more' })).toBeVisible();
  await accessible(page);

  await page.unrouteAll();
  await answer(page, '/me/notifications', broken, 500);
  await page.goto('/notifications');
  await expect(page.getByText('7F3A-19C2')).toBeVisible();

  await page.unrouteAll();
  await asRole(page, 'viewer');
  await page.goto('/notifications');
  await expect(page.getByRole('heading', { name: 'Muted' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Mute…' })).toHaveCount(0);
});

test('settings: what is changed is said before it is saved; others only look', async ({ page }) => {
  await page.goto('/settings');
  const name = page.getByRole('textbox', { name: 'Name' });
  await expect(name).toHaveValue('Northwind IT');
  await expect(page.getByText(/wait for an approval|No bound is set/)).toBeVisible();
  await accessible(page);
  await page.getByText('Observe only', { exact: true }).click();
  await expect(page.getByText('From the next sync Trueup writes nothing to ConnectWise.', { exact: false })).toBeVisible();
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.getByRole('textbox', { name: 'Above seats' }).fill('x');
  await expect(page.getByText('A whole number')).toBeVisible();
  await page.getByRole('textbox', { name: 'Above seats' }).fill('30');
  await page.getByText('Bill trials').click();
  await accessible(page);
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  await page.reload();
  await expect(page.getByRole('textbox', { name: 'Above seats' })).toHaveValue('30');
  await expect(page.getByRole('checkbox', { name: 'Bill trials' })).toBeChecked();

  await asRole(page, 'billing');
  await page.reload();
  await expect(page.getByText('You can change the approval rules.', { exact: false })).toBeVisible();
  await expect(name).toBeDisabled();
  await expect(page.getByRole('textbox', { name: 'Above seats' })).toBeEnabled();
  await accessible(page);
});
