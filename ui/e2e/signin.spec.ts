import { accessible, code, expect, mailed, test } from './person';
import { provider } from './provider';
import { password, stage } from './stage';

test.use({ storageState: { cookies: [], origins: [] } });

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

test('what can not be done here is not offered', async ({ page }) => {
  await page.goto('/signin?problem=no_account');
  await expect(page.getByRole('alert')).toContainText('Ask an administrator to invite you');
  await expect(page.getByRole('button', { name: 'Forgot your password?' })).toBeVisible();
  await expect(page.getByRole('button', { name: /^Continue with/ })).toHaveCount(0); // no workspace has a provider
  await page.getByRole('button', { name: 'Forgot your password?' }).click();
  await expect(page.getByText('Trueup sends no mail here.')).toBeVisible();
  await expect(page.getByLabel('E-mail')).toHaveCount(0);
  await accessible(page);
});

test('the first sign-in sets a password and an authenticator, the next asks for its code', async ({ page }) => {
  const { email, password: once } = stage().technician;
  await page.goto('/links');
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await accessible(page);

  await page.getByLabel('E-mail').fill(email);
  await page.getByRole('textbox', { name: 'Password' }).fill('not this one');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Password' })).toHaveValue('');

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

  await page.getByRole('button', { name: /^Hello Kim Osei/ }).click();
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
});

const onBare = test.extend({ baseURL: async ({ bare }, use) => use(bare.url) });

onBare.describe.serial('from nobody to a second user', () => {
  const ines = 'ines@msp.example';
  const lee = 'lee@msp.example';

  onBare('the first administrator comes in by the one-time link, which works once', async ({ page, bare }) => {
    await page.goto('/');
    await expect(page.getByText('Nobody has an account here yet.')).toBeVisible();
    await accessible(page);
    const link = new URL(bare.first);
    await page.goto(link.pathname + link.hash);
    await expect(page.getByRole('heading', { name: 'Welcome to Trueup' })).toBeVisible();
    await accessible(page);
    await page.getByLabel('Company').fill('Contoso <b>MSP</b>');
    await page.getByLabel('Your name').fill('Ines Ferreira');
    await page.getByLabel('E-mail').fill(ines);
    await page.getByRole('textbox', { name: 'Password', exact: true }).fill('Passw0rd123');
    await page.getByRole('textbox', { name: 'Password again' }).fill('Passw0rd123');
    await page.getByRole('button', { name: 'Make account and workspace' }).click();
    await expect(page.getByText(/is built on a common word|guessed/).first()).toBeVisible();
    await page.getByRole('textbox', { name: 'Password', exact: true }).fill(password);
    await page.getByRole('textbox', { name: 'Password again' }).fill(password);
    await page.getByRole('button', { name: 'Make account and workspace' }).click();
    await expect(page.getByRole('heading', { name: 'Set up your authenticator' })).toBeVisible();
    const key = (await page.locator('[data-key]').textContent()) ?? '';
    await page.getByLabel('Code that the app shows').fill(code(key));
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByLabel('I saved them').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    const hello = page.getByRole('button', { name: /^Hello Ines Ferreira/ });
    await expect(hello).toContainText('Contoso <b>MSP</b>, Admin');
    await page.context().storageState({ path: 'test-results/ines.json' });

    await page.context().clearCookies();
    await page.goto(link.pathname + link.hash);
    await page.getByLabel('Company').fill('Another');
    await page.getByLabel('Your name').fill('Somebody');
    await page.getByLabel('E-mail').fill('somebody@msp.example');
    await page.getByRole('textbox', { name: 'Password', exact: true }).fill(password);
    await page.getByRole('textbox', { name: 'Password again' }).fill(password);
    await page.getByRole('button', { name: 'Make account and workspace' }).click();
    await expect(page.getByRole('alert')).toContainText('The link was used already');
  });

  onBare('an invitation comes by mail, and makes an account', async ({ page, bare, browser }) => {
    const admin = await browser.newContext({ storageState: 'test-results/ines.json', baseURL: bare.url });
    const desk = await admin.newPage();
    await desk.goto('/users?tab=invitations');
    await desk.getByRole('button', { name: 'Invite…' }).click();
    const drawer = desk.getByRole('dialog', { name: 'Invite somebody' });
    await drawer.getByLabel('E-mail').fill(lee);
    await drawer.getByRole('button', { name: 'Invite', exact: true }).click();
    await expect(drawer.getByText('A mail is on its way to')).toBeVisible();
    await drawer.getByRole('button', { name: 'Done' }).click();
    await expect(desk.getByRole('tab', { name: 'Invitations 1' })).toBeVisible();
    await admin.close();

    await page.goto(await mailed(bare, lee, 'invitation'));
    await expect(page.getByText('invites you to')).toContainText('Ines Ferreira invites you to Contoso <b>MSP</b>, as a technician.');
    await accessible(page);
    await page.getByLabel('Your name').fill('Lee Novak');
    await page.getByRole('textbox', { name: 'Password', exact: true }).fill(password);
    await page.getByRole('textbox', { name: 'Password again' }).fill(password);
    await page.getByRole('button', { name: 'Accept' }).click();
    await expect(page.getByRole('heading', { name: 'Set up your authenticator' })).toBeVisible();
  });

  onBare('a forgotten password is set anew by the link of a mail, and nobody learns who has an account', async ({ page, bare }) => {
    for (const email of ['nobody@msp.example', lee]) {
      await page.goto('/');
      await page.getByRole('button', { name: 'Forgot your password?' }).click();
      await page.getByLabel('E-mail').fill(email);
      await page.getByRole('button', { name: 'Send me a link' }).click();
      await expect(page.getByRole('status')).toContainText('If there is an account with this address');
    }
    await accessible(page);
    await page.goto(await mailed(bare, lee, 'reset'));
    await page.getByRole('textbox', { name: 'New password', exact: true }).fill(`${password}-anew`);
    await page.getByRole('textbox', { name: 'New password again' }).fill(`${password}-anew`);
    await page.getByRole('button', { name: 'Set password' }).click();
    await expect(page.getByRole('heading', { name: 'Set up your authenticator' })).toBeVisible();
    await page.getByRole('button', { name: 'Sign in as somebody else' }).click();
    await page.getByLabel('E-mail').fill(lee);
    await page.getByRole('textbox', { name: 'Password' }).fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('alert')).toContainText('wrong');
  });

  onBare('the sign-in of the organization is set up, offered by its name, and lets in whom it vouches for', async ({ page, bare, browser, elsewhere }) => {
    const op = await provider(lee, 'trueup-at-contoso');
    elsewhere.add(op.issuer);
    const admin = await browser.newContext({ storageState: 'test-results/ines.json', baseURL: bare.url });
    const desk = await admin.newPage();
    await desk.goto('/users?tab=security');
    await desk.getByRole('button', { name: 'Set up…' }).click();
    const drawer = desk.getByRole('dialog');
    await drawer.getByRole('textbox', { name: 'Name' }).fill('Contoso Entra');
    await drawer.getByRole('textbox', { name: 'Issuer' }).fill(op.issuer);
    await drawer.getByRole('textbox', { name: 'Client id' }).fill('trueup-at-contoso');
    await drawer.getByRole('textbox', { name: 'Client secret' }).fill('a-secret-of-the-test');
    await drawer.getByRole('textbox', { name: 'Speaks for' }).fill('msp.example');
    await drawer.getByRole('button', { name: 'Test and save' }).click();
    await expect(drawer).toBeHidden();
    await expect(desk.getByText('trueup-at-contoso')).toBeVisible();
    await admin.close();

    await page.goto('/');
    await expect(page.getByRole('button', { name: 'Continue with Contoso Entra' })).toBeVisible();
    await accessible(page);
    await page.getByRole('button', { name: 'Continue with Contoso Entra' }).click();
    await expect(page.getByRole('button', { name: /^Hello Lee Novak/ })).toBeVisible();
    await op.close();
  });
});
