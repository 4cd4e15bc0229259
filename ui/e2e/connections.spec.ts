import { accessible, expect, test } from './person';

test('connections: how each is, a test in words, and who depends on it', async ({ page }) => {
  await page.goto('/connections');
  const one = (name: string | RegExp) => page.getByRole('listitem', { name });
  await expect(one('ConnectWise Manage')).toContainText('All customers use it');
  await expect(one('partner')).toContainText(/customers use it/);
  await accessible(page);

  await one('ConnectWise Manage').getByRole('button', { name: 'Test' }).click();
  await expect(one('ConnectWise Manage').getByText('✓ It works')).toBeVisible();
  await expect(one('ConnectWise Manage').getByText('Public and private key', { exact: true })).toBeVisible();
  await accessible(page);

  await one('partner').getByRole('button', { name: 'Tenants' }).click();
  const drawer = page.getByRole('dialog');
  await expect(drawer.getByText('Coho Winery').first()).toBeVisible();
  await accessible(page);
  await page.keyboard.press('Escape');
  await expect(drawer).toBeHidden();

  await one('partner').getByRole('button', { name: 'Rotate secret' }).click();
  await drawer.getByRole('textbox', { name: 'Client secret' }).fill('not this one');
  await drawer.getByRole('button', { name: 'Test and save' }).click();
  await expect(drawer.getByRole('alert')).toContainText('secret');
  await expect(drawer.getByRole('button', { name: 'Save without a working test' })).toBeVisible();
  await accessible(page);
  await page.keyboard.press('Escape');
  await expect(drawer).toBeHidden();

  await one('partner').getByRole('button', { name: /^More for/ }).click();
  await page.getByRole('menuitem', { name: 'Remove…' }).click();
  await expect(drawer.getByText('Give them another connection first.')).toBeVisible();
  await accessible(page);
  await drawer.getByRole('button', { name: 'Cancel' }).click();

  await page.getByRole('button', { name: 'Add a Microsoft connection' }).click();
  await drawer.getByLabel('Your tenant').fill('no such tenant');
  await drawer.getByLabel('Application (client) id').fill('no id');
  await drawer.getByRole('textbox', { name: 'Client secret' }).fill('a secret');
  const [tab] = await Promise.all([page.waitForEvent('popup'), drawer.getByRole('button', { name: 'Connect with Microsoft' }).click()]);
  await expect(drawer.getByText('It must be a tenant id or a verified domain.')).toBeVisible();
  await expect.poll(() => tab.isClosed()).toBe(true);
  await accessible(page);
});
