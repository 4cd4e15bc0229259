import { answer, asRole, broken } from './answers';
import { accessible, expect, test } from './person';

test('cut-over: choose, check, confirm by name, and see what became of each line', async ({ page }) => {
  await page.goto('/cutover');
  await expect(page.getByRole('heading', { name: 'Cut-over' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Show the lines' })).toBeDisabled();
  await accessible(page);

  await page.getByText('Without a serial number').click();
  await page.getByLabel('Their last billed day').fill('2026-03-31');
  await page.getByRole('button', { name: 'Show the lines' }).click();
  const grid = page.getByRole('table', { name: 'Lines that would end' });
  await expect(grid.getByText('EMS-E3-A', { exact: true })).toBeVisible();
  await expect(page).toHaveURL(/by=without/);
  await accessible(page);

  const row = grid.getByRole('row').filter({ hasText: 'EMS-E3-A' });
  await row.getByRole('button', { name: 'Woodgrove Bank' }).click();
  await expect(grid.getByText(/bills/).first()).toBeVisible();
  await row.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'End 1 line…' }).click();
  const sure = page.getByRole('dialog', { name: 'End 1 line?' });
  await expect(sure.getByRole('button', { name: 'End 1 line' })).toBeDisabled();
  await accessible(page);
  await sure.getByRole('textbox', { name: 'Name of the workspace' }).fill('Northwind IT');
  await sure.getByRole('button', { name: 'End 1 line' }).click();
  await expect(page.getByText('1 line ended.')).toBeVisible();
  await expect(page.getByRole('table', { name: 'Lines' }).getByText('Ended', { exact: true })).toBeVisible();
  await accessible(page);

  await page.getByRole('button', { name: 'Back to cut-over' }).click();
  await page.getByRole('button', { name: 'What was ended' }).click();
  await expect(page.getByRole('dialog').getByText('1 of 1')).toBeVisible();
  await accessible(page);
});

test('cut-over: nothing fits, a part fails, and only to look at', async ({ page }) => {
  await page.goto('/cutover?by=serial&serial=nothing+is+called+this&lastDay=2026-03-31');
  await expect(page.getByRole('heading', { name: 'No line is like that' })).toBeVisible();
  await accessible(page);
  await page.goto('/cutover?by=without&type=No+such+type&lastDay=2026-03-31');
  await expect(page.getByText('Manage has no agreement type', { exact: false }).first()).toBeVisible();

  const line = (addition: number) => ({
    company: 'C', agreement: { id: 1, name: 'Managed <i>365</i>' }, addition, product: 'M365', serial: 'S365', quantity: '3.00', lastDay: '2026-03-31', monthly: { currency: 'AUD', amount: '66.00' }, notes: [],
  });
  const results = Array.from({ length: 1500 }, (_, i) => ({ line: line(i + 1), ok: i > 0, at: '2026-03-02T08:00:00Z', ...(i ? {} : { error: 'It was changed in ConnectWise since it was shown, and was left alone.' }) }));
  await answer(page, '/cutover/batches/abcd', { batch: { id: 'abcd', at: '2026-03-02T08:00:00Z', by: 'Sam Carter', lines: 1500, done: 1499, failed: 1, lastDay: '2026-03-31' }, results });
  await page.goto('/cutover?batch=abcd');
  await expect(page.getByText('1,499 ended')).toBeVisible();
  await page.getByRole('button', { name: 'Show only those' }).click();
  await expect(page.getByText('was left alone', { exact: false })).toBeVisible();
  await accessible(page);

  await page.unrouteAll();
  await answer(page, '/cutover/batches', broken, 500);
  await asRole(page, 'technician');
  await page.goto('/cutover');
  await expect(page.getByText('You can look but not end lines.', { exact: false })).toBeVisible();
  await expect(page.getByText('7F3A-19C2')).toBeVisible();
  await accessible(page);
});
