import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test as base, expect, type Page } from '@playwright/test';
import type { AxeResults, ElementContext, RunOptions } from 'axe-core';
import { code } from './code';
import { type Bare, stage, start } from './stage';

/**
 * A page at the program's address. It fails the test when anything breaks the security
 * policy, throws, or asks another site; a way that leads to one on purpose is named by
 * `elsewhere`.
 */
export const test = base.extend<{ page: Page; elsewhere: Set<string> }, { bare: Bare }>({
  // oxlint-disable-next-line no-empty-pattern -- the runner reads the names of what is wanted
  baseURL: async ({}, use) => use(stage().url),
  // oxlint-disable-next-line no-empty-pattern -- the same
  elsewhere: async ({}, use) => use(new Set()),
  page: async ({ page, baseURL, elsewhere }, use) => {
    const faults: string[] = [];
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (e) => console.error(`policy broken: ${e.violatedDirective} ${e.blockedURI}`));
    });
    page.on('console', (m) => m.text().startsWith('policy broken') && faults.push(m.text()));
    page.on('pageerror', (e) => faults.push(String(e)));
    page.on('request', (r) => {
      const ours = /^(data|blob):/.test(r.url()) || r.url().startsWith(`${baseURL}/`) || elsewhere.has(new URL(r.url()).origin);
      if (!ours) faults.push(`asked elsewhere: ${r.url()}`);
    });
    await use(page);
    expect(faults).toEqual([]);
  },
  // A program of its own on which nobody has an account, and that can send mail; it is
  // started for who asks for it.
  bare: [
    // oxlint-disable-next-line no-empty-pattern -- the same
    async ({}, use) => {
      const { line, end } = await start('-bare');
      await use(JSON.parse(line) as Bare);
      await end();
    },
    { scope: 'worker', timeout: 240_000 },
  ],
});

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * No accessibility fault, in light and in dark. The second look is at colors alone: nothing
 * else depends on them. Where a dialog is open it is looked at by itself, since what is
 * behind it can't be reached; and of the rows of a grid the first ones, which are as the
 * others are. The tool is put into a page once: that takes longer than its looking.
 */
export async function accessible(page: Page) {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', colorScheme);
    if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
    const faults = await page.evaluate(async (colorsOnly) => {
      const moving = document.getAnimations().filter((a) => a.effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY);
      await Promise.allSettled(moving.map((a) => a.finished));
      const { run } = (window as unknown as { axe: { run: (context: ElementContext, options: RunOptions) => Promise<AxeResults> } }).axe;
      const dialog = [...document.querySelectorAll('[role=dialog]')].at(-1);
      const found = await run(
        { include: [dialog ?? document.documentElement], exclude: ['.grid-item[data-index]:nth-of-type(n+9)'] },
        { resultTypes: ['violations'], preload: false, iframes: false, ...(colorsOnly ? { runOnly: ['color-contrast'] } : dialog ? { rules: { region: { enabled: false }, 'landmark-no-duplicate-banner': { enabled: false } } } : {}) },
      );
      return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html}: ${n.failureSummary}`).join(' | ')}`);
    }, colorScheme === 'dark');
    expect(faults.map((f) => `${colorScheme}: ${f}`)).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

export interface Mail {
  To: string[];
  Data: string;
}

/** The path and secret of the newest link that was mailed to an address, as in /reset#secret. */
export async function mailed({ mails }: Bare, to: string, page: 'reset' | 'invitation'): Promise<string> {
  let link = '';
  await expect
    .poll(async () => {
      const all = ((await (await fetch(mails)).json()) ?? []) as Mail[];
      const texts = all.filter((m) => m.To.includes(to)).map((m) => m.Data.replaceAll('=\n', '').replaceAll('=3D', '='));
      link = texts.flatMap((t) => [...t.matchAll(new RegExp(`/${page}#[A-Za-z0-9_-]{30,}`, 'g'))].map(([l]) => l)).at(-1) ?? '';
      return link;
    })
    .not.toBe('');
  return link;
}

export { code, expect };
