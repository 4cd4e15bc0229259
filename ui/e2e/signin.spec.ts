import { accessible, code, expect, test } from './person';
import { stage } from './stage';

const password = 'Harbour-lantern-42-quartz';

test('a link that was cut says so', async ({ page }) => {
  for (const [path, title] of [
    ['/first', 'Welcome to Trueup'],
    ['/invitation', 'You are invited'],
    ['/reset', 'Set a new password'],
  ] as const) {
    await page.goto(`${path}#short`);
    await expect(page.getByRole('heading', { name: title })).toBeVisible();
    await expect(page.getByText('This link is not whole.')).toBeVisible();
  }
  await accessible(page);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  expect(new URL(page.url()).pathname).toBe('/');
});

test('links that nobody gave are refused', async ({ page }) => {
  const token = 'aaaabbbbccccdddd1111';
  await page.goto(`/invitation#${token}`);
  await expect(page.getByRole('alert')).toContainText('could not be loaded');
  await page.goto(`/reset#${token}`);
  await page.getByRole('textbox', { name: 'New password', exact: true }).fill(password);
  await page.getByRole('textbox', { name: 'New password again' }).fill('another');
  await page.getByRole('button', { name: 'Set password' }).click();
  await expect(page.getByText('The two passwords differ.')).toBeVisible();
  await page.getByRole('textbox', { name: 'New password again' }).fill(password);
  await page.getByRole('button', { name: 'Set password' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await accessible(page);
});

test('a forgotten password tells nobody who has an account', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('button', { name: 'Forgot your password?' }).click();
  await page.getByLabel('E-mail').fill('nobody@msp.example');
  await page.getByRole('button', { name: 'Send me a link' }).click();
  await expect(page.getByRole('status')).toContainText('If there is an account with this address');
  await accessible(page);
});

test('the first sign-in sets a password and an authenticator', async ({ page }) => {
  const { email, password: once } = stage();
  await page.goto('/links');
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await accessible(page);

  await page.getByLabel('E-mail').fill(email);
  await page.getByRole('textbox', { name: 'Password' }).fill('not this one');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Password' })).toHaveValue('');
  await accessible(page);

  await page.getByRole('textbox', { name: 'Password' }).fill(once);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Set a new password' })).toBeVisible();
  await page.getByRole('textbox', { name: 'Password now' }).fill(once);
  await page.getByRole('textbox', { name: 'New password', exact: true }).fill(password);
  await page.getByRole('textbox', { name: 'New password again' }).fill(password);
  await accessible(page);
  await page.getByRole('button', { name: 'Set password' }).click();

  await expect(page.getByRole('heading', { name: 'Set up your authenticator' })).toBeVisible();
  const picture = page.getByRole('img', { name: 'QR code' });
  await expect(picture).toBeVisible();
  expect(await picture.getAttribute('src')).toMatch(/^data:image\/png;base64,/);
  await page.getByLabel('Code that the app shows').fill('000000');
  await page.getByRole('button', { name: 'Confirm' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await accessible(page);
  const key = (await page.locator('[data-key]').textContent()) ?? '';
  await page.getByLabel('Code that the app shows').fill(code(key));
  await page.getByRole('button', { name: 'Confirm' }).click();

  await expect(page.getByRole('heading', { name: 'Keep these recovery codes' })).toBeVisible();
  const codes = await page.locator('.codes li').allTextContents();
  expect(codes.length).toBeGreaterThanOrEqual(8);
  await expect(page.getByRole('button', { name: 'Continue' })).toBeDisabled();
  await accessible(page);
  await page.getByLabel('I saved them').check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('heading', { name: 'License links' })).toBeVisible();

  await page.getByRole('button', { name: /^Hello Sam Carter/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();

  await page.getByLabel('E-mail').fill(email);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Code of your authenticator' })).toBeVisible();
  await accessible(page);
  await page.getByLabel('Six digits').fill('000000');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await page.getByRole('button', { name: 'Use a recovery code' }).click();
  await page.getByLabel('One of your recovery codes').fill(codes[0] ?? '');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('heading', { name: 'License links' })).toBeVisible();
  await page.context().storageState({ path: 'test-results/person.json' });
});
