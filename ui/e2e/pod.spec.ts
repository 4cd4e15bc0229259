import { expect, type Frame, type Page } from '@playwright/test';
import { accessiblePod, podOf, test as base } from './pod';
import { start } from './stage';

// The pod in the pages of a Manage at another site, with a program that works: what a
// technician does there, and that Manage shows it. Nothing of it needs a cookie of ours.

interface Live {
  url: string;
  manage: string;
  knobs: string;
  control: string;
}

const test = base.extend<object, { live: Live }>({
  live: [
    // oxlint-disable-next-line no-empty-pattern -- the runner reads the names of what is wanted
    async ({}, use) => {
      const { line, end } = await start('-live');
      await use(JSON.parse(line) as Live);
      await end();
    },
    { scope: 'worker', timeout: 300_000 },
  ],
});

const set = async (address: string, body: unknown) => {
  const answer = await fetch(address, { method: 'PUT', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${address}: ${answer.status} ${await answer.text()}`);
};
const quantities = (page: Page) => page.locator('#additions tbody tr').evaluateAll((rows) => rows.map((r) => `${(r as HTMLTableRowElement).cells[0]?.firstChild?.textContent}: ${r.querySelector('input')?.value}`));
const synced = async (pod: Frame) => {
  await pod.getByRole('button', { name: 'Sync now' }).click();
  await expect(pod.getByText(/^Synced\. /)).toBeVisible();
};

test('on an agreement: the verdict, a sync, an approval, and the addition has changed', async ({ page, live, context }) => {
  await page.goto(`${live.manage}/agreements/4000`);
  const pod = await podOf(page);
  await expect(pod.getByRole('heading', { level: 1 })).toHaveText(/billed as it should be|attention|to bill/);
  await accessiblePod(pod);
  await set(`${live.control}/tenants/cohowinery.example/subscriptions/005b1f18-8ce2-4955-b26e-7a2a2414fe9e/seats`, { Seats: 1 });
  await synced(pod);
  await pod.getByRole('tab', { name: /^Changes/ }).click();
  const boxes = pod.getByRole('checkbox', { name: /^Select (?!all)/ });
  await expect(boxes.first()).toBeVisible();
  const before = await quantities(page);
  await boxes.first().check();
  await pod.getByRole('button', { name: 'Approve and apply' }).click();
  await pod.getByRole('button', { name: /^Apply/ }).click();
  await expect(pod.getByText(/1 applied/)).toBeVisible();
  await expect.poll(() => quantities(page)).not.toEqual(before);
  await pod.getByRole('tab', { name: 'History' }).click();
  await expect(pod.locator('.history .c-billed', { hasText: 'Approval' }).first()).toBeVisible();
  await accessiblePod(pod);
  await pod.getByRole('button', { name: 'All agreements' }).click();
  await expect(pod.getByRole('button', { name: 'This agreement only' })).toBeVisible();
  expect((await context.cookies(live.url)).length).toBe(0);
});

test('on a company: a license is linked with its preview, and stands on the agreement', async ({ page, live }) => {
  await page.goto(`${live.manage}/companies/200`);
  const pod = await podOf(page);
  await pod.getByRole('tab', { name: 'All' }).click();
  await pod.locator('tr[data-license] .disclose').first().click();
  await pod.getByRole('button', { name: /^(Change link|Link…)$/ }).first().click();
  const form = pod.getByRole('form', { name: /^Link / });
  await expect(form.getByLabel('Billing profile')).toBeVisible();
  await accessiblePod(pod);
  await form.getByText('More options').click();
  await form.getByLabel('Included, never billed').fill('1');
  await expect(form.getByLabel('Preview')).toContainText('becomes');
  await form.getByRole('button', { name: /^Save/ }).click();
  await expect(form).toBeHidden();
  await expect(pod.getByText(/^Synced\. /)).toBeVisible();
});

test('another record in place, and a line that was changed by hand is answered', async ({ page, live }) => {
  await page.goto(`${live.manage}/companies/201`);
  await page.getByRole('link', { name: /^Managed 365/ }).click();
  const row = page.locator('#additions tbody tr').first();
  await row.locator('input').fill('99');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  const pod = await podOf(page);
  await synced(pod);
  await pod.getByRole('tab', { name: /Needs attention/ }).click();
  await pod.locator('tr[data-license] .disclose').first().click();
  await expect(pod.getByText(/scarter.* changed addition/)).toBeVisible();
  await accessiblePod(pod);
  await pod.getByRole('button', { name: 'Set it back' }).first().click();
  await expect(row.locator('input')).not.toHaveValue('99');
});

test('a member whom nobody knows may look, and nothing else', async ({ page, live }) => {
  await page.goto(live.manage);
  const again = page.waitForEvent('load'); // the page of who is signed in now
  await page.getByLabel('Signed in as').selectOption({ label: 'Nina Newman (nnew)' });
  await again;
  await page.goto(`${live.manage}/agreements/4000`);
  const pod = await podOf(page);
  await expect(pod.getByRole('tab', { name: 'All' })).toBeVisible();
  await expect(pod.getByRole('button', { name: 'Sync now' })).toHaveCount(0);
  await expect(pod.getByRole('checkbox')).toHaveCount(0);
});

test('a save of Manage is not held up', async ({ page, live }) => {
  await page.goto(`${live.manage}/agreements/4002`);
  const pod = await podOf(page);
  await expect(pod.getByRole('heading', { level: 1 })).toBeVisible();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
});
