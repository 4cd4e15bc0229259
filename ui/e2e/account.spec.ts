import { accessible, expect, test } from './person';

test('the own account: password, authenticator, sessions', async ({ page }) => {
  await page.goto('/history');
  await page.getByRole('button', { name: /^Hello/ }).click();
  await expect(page.getByRole('menuitem', { name: 'Authenticator' })).toBeVisible();
  await accessible(page);
  await page.getByRole('menuitem', { name: 'Where you are signed in' }).click();
  const drawer = page.getByRole('dialog');
  await expect(drawer.getByText('This one')).toBeVisible();
  await expect(drawer.getByText('Chrome on Linux').first()).toBeVisible();
  await accessible(page);
  await drawer.getByText('Authenticator', { exact: true }).click();
  await expect(drawer.getByText(/codes left/)).toBeVisible();
  await drawer.getByLabel('Code of your authenticator').fill('000000');
  await drawer.getByRole('button', { name: 'Make new codes' }).click();
  await expect(drawer.getByRole('alert')).toContainText('The code is wrong or was used already.');
  await accessible(page);
  await drawer.getByText('Name and password').click();
  await drawer.getByRole('textbox', { name: 'Password now' }).fill('not this one');
  await drawer.getByRole('textbox', { name: 'New password', exact: true }).fill('Quartz-lantern-harbour-43');
  await drawer.getByRole('textbox', { name: 'New password again' }).fill('Quartz-lantern-harbour-43');
  await drawer.getByRole('button', { name: 'Change password' }).click();
  await expect(drawer.getByText('The old password is wrong.').first()).toBeVisible();
  await accessible(page);
});

test('a name is text, whatever is in it, and is what the menu says', async ({ page }) => {
  const name = async (from: string, to: string) => {
    await page.getByRole('button', { name: `Hello ${from}` }).click();
    await page.getByRole('menuitem', { name: 'Name and password' }).click();
    const drawer = page.getByRole('dialog');
    await drawer.getByRole('textbox', { name: 'Name', exact: true }).fill(to);
    await drawer.getByRole('button', { name: 'Save name' }).click();
    await expect(drawer.getByText('Saved.')).toBeVisible();
    await drawer.getByRole('button', { name: 'Close' }).click();
    await expect(page.getByRole('button', { name: `Hello ${to}` })).toBeVisible();
  };
  await page.goto('/');
  await name('Sam Carter', '<b>Sam</b> כרטר');
  await expect(page.locator('.who b')).toHaveCount(0);
  await name('<b>Sam</b> כרטר', 'Sam Carter');
});

test('colors are kept for the next visit', async ({ page }) => {
  await page.goto('/history');
  await page.getByRole('button', { name: /^Hello/ }).click();
  await page.getByRole('menuitem', { name: 'Dark' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark');
});
