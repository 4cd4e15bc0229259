import { answer, asRole, broken } from './answers';
import { accessible, expect, test } from './person';

test('profiles: what a change would change is shown before it is saved; what is used is not deleted', async ({ page }) => {
  await page.goto('/profiles');
  const grid = page.getByRole('table', { name: 'Billing profiles' });
  await expect(grid.getByText('M365 Business Premium - Annual')).toBeVisible();
  await accessible(page);
  await page.getByRole('textbox', { name: 'Name, product or agreement type' }).fill('premium - annual');
  await expect(grid.getByRole('row')).toHaveCount(2);
  await grid.getByText('M365 Business Premium - Annual').click();

  const drawer = page.getByRole('dialog');
  await expect(drawer.getByRole('textbox', { name: 'Name' })).toHaveValue('M365 Business Premium - Annual');
  await expect(drawer.getByText(/It can't be deleted while/)).toBeVisible();
  await expect(drawer.getByRole('button', { name: 'Delete…' })).toBeDisabled();
  await accessible(page);

  await drawer.getByText('A custom price').click();
  await drawer.getByRole('textbox', { name: 'Custom price' }).fill('24.50');
  await drawer.getByRole('button', { name: 'See what it changes' }).click();
  await expect(drawer.getByText(/^Changes \d+ links? of \d+ customers?/)).toBeVisible();
  await expect(drawer.getByRole('button', { name: 'Save profile' })).toBeEnabled();
  await accessible(page);
  await page.keyboard.press('Escape');
  await expect(drawer.getByText('You have changes that are not saved.')).toBeVisible();
  await drawer.getByRole('button', { name: 'Discard them' }).click();
  await expect(drawer).toBeHidden();
});

test('profiles: one is added, then deleted by its name', async ({ page }) => {
  await page.goto('/profiles?profile=new');
  const drawer = page.getByRole('dialog', { name: 'Add a billing profile' });
  await drawer.getByRole('textbox', { name: 'Name' }).fill('Made for a moment');
  await drawer.getByRole('combobox', { name: 'Agreement types' }).or(drawer.getByRole('textbox', { name: 'Agreement types' })).click();
  await page.getByRole('option', { name: /Managed Services/ }).click();
  await drawer.getByRole('combobox', { name: 'Product' }).or(drawer.getByRole('textbox', { name: 'Product' })).fill('VISIO');
  await page.getByRole('option', { name: /VISIO/i }).first().click();
  await expect(drawer.getByText(/The product's price, /)).toBeVisible();
  await drawer.getByText('The line on the invoice, for ten').click();
  await accessible(page);
  await drawer.getByRole('button', { name: 'Add profile' }).click();
  await expect(drawer).toBeHidden();

  await page.getByRole('table', { name: 'Billing profiles' }).getByText('Made for a moment').click();
  await page.getByRole('button', { name: 'Delete…' }).click();
  const sure = page.getByRole('dialog', { name: 'Delete this billing profile?' });
  await expect(sure.getByRole('button', { name: 'Delete' })).toBeDisabled();
  await accessible(page);
  await sure.getByRole('textbox', { name: 'Name of the profile' }).fill('Made for a moment');
  await sure.getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByRole('table', { name: 'Billing profiles' }).getByText('Made for a moment')).toHaveCount(0);
});

test('profiles: suggestions, many, none, none to be had, and only to look at', async ({ page }) => {
  await page.goto('/profiles?suggest=true');
  await expect(page.getByRole('dialog').getByText(/look like Microsoft licenses|looks like a Microsoft license|Nothing to suggest/).first()).toBeVisible();
  await accessible(page);

  const one = { agreementTypes: [{ id: 1, name: 'Managed' }], product: 7, productName: 'M365', productPrice: '22.00', currency: '', bill: 'billable', retired: false, links: 3, version: 'v' };
  await answer(page, '/profiles', { items: Array.from({ length: 2000 }, (_, i) => ({ ...one, id: i + 1, name: `Profile ${i} <b>‮ reversed` })) });
  await page.goto('/profiles');
  await expect(page.getByText('2,000 profiles')).toBeVisible();
  expect(await page.getByRole('row').count()).toBeLessThan(60);

  await page.unrouteAll();
  await answer(page, '/profiles', { items: [] });
  await page.goto('/profiles');
  await expect(page.getByRole('heading', { name: 'No billing profiles yet' })).toBeVisible();
  await accessible(page);

  await page.unrouteAll();
  await answer(page, '/profiles', broken, 500);
  await page.goto('/profiles');
  await expect(page.getByText('7F3A-19C2')).toBeVisible();
  await accessible(page);

  await page.unrouteAll();
  await asRole(page, 'technician');
  await page.goto('/profiles');
  await page.getByRole('table', { name: 'Billing profiles' }).getByText('M365 Business Premium - Annual').click();
  await expect(page.getByText('You can look but not change billing profiles.')).toBeVisible();
  await expect(page.getByRole('button', { name: /Save|Add|Suggestions/ })).toHaveCount(0);
  await accessible(page);
});
