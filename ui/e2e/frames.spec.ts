import type { Page } from '@playwright/test';
import { expect, test } from './person';

const rows = 5_000;
const aim = 40; // ms, of the slowest frame in twenty

interface Licenses {
  items: { id: string; name: string }[];
  total: number;
  next?: string;
}

/**
 * Answers for the list with the licenses that the stage has, told again until there are
 * 5,000, by pages as the program does: this is about the grid, not about who answers.
 */
async function many(page: Page) {
  let real: Licenses | undefined;
  await page.route(
    (url) => url.pathname === '/api/v1/licenses',
    async (route) => {
      real ??= (await (await route.fetch()).json()) as Licenses;
      const of = real.items;
      const asked = new URL(route.request().url()).searchParams;
      const from = Number(asked.get('cursor') ?? 0);
      const to = Math.min(rows, from + Number(asked.get('limit') ?? 100));
      const items = Array.from({ length: to - from }, (_, i) => {
        const n = from + i;
        return { ...of[n % of.length], id: `${of[n % of.length]?.id}-${n}` };
      });
      await route.fulfill({ json: { ...real, items, total: rows, next: to < rows ? String(to) : undefined } });
    },
  );
}

test('5,000 licenses scroll, and only those in sight are drawn', async ({ page }) => {
  await many(page);
  await page.goto('/links');
  const grid = page.getByRole('table', { name: 'Licenses' });
  await expect(grid).toHaveAttribute('aria-rowcount', String(rows + 1));
  const scroller = grid.locator('.grid-scroll');
  const last = grid.locator(`[aria-rowindex="${rows + 1}"]`);
  // To the end, where each page asks for the next, before it is measured.
  await expect(async () => {
    await scroller.evaluate((e) => e.scrollTo(0, e.scrollHeight));
    await expect(last).toBeVisible({ timeout: 250 });
  }).toPass();
  expect(await grid.getByRole('row').count()).toBeLessThan(60);

  const frames = await scroller.evaluate(
    (e) =>
      new Promise<number[]>((done) => {
        const taken: number[] = [];
        e.scrollTo(0, 0);
        let before: number | undefined;
        const step = (at: number) => {
          if (before !== undefined) taken.push(at - before);
          before = at;
          if (taken.length === 300) return done(taken);
          e.scrollBy(0, 330); // a turn of a fast wheel
          requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
      }),
  );
  frames.sort((a, b) => a - b);
  const at = (share: number) => (frames[Math.floor(frames.length * share)] ?? 0).toFixed(1);
  test.info().annotations.push({ type: 'counted', description: `${rows} licenses, ${frames.length} frames while scrolling: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms (aim ${aim} ms)` });
  expect(await scroller.evaluate((e) => e.scrollTop)).toBeGreaterThan(90_000);
});
