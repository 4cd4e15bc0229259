import { createHmac } from 'node:crypto';
import AxeBuilder from '@axe-core/playwright';
import { test as base, expect, type Page } from '@playwright/test';
import { stage } from './stage';

/**
 * A page at the program's address. It fails the test when anything breaks the security
 * policy, throws, or asks another site.
 */
export const test = base.extend<{ page: Page }>({
  // oxlint-disable-next-line no-empty-pattern -- the runner reads the names of what is wanted
  baseURL: async ({}, use) => use(stage().url),
  page: async ({ page, baseURL }, use) => {
    const faults: string[] = [];
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (e) => console.error(`policy broken: ${e.violatedDirective} ${e.blockedURI}`));
    });
    page.on('console', (m) => m.text().startsWith('policy broken') && faults.push(m.text()));
    page.on('pageerror', (e) => faults.push(String(e)));
    page.on('request', (r) => !/^(data|blob):/.test(r.url()) && !r.url().startsWith(`${baseURL}/`) && faults.push(`asked elsewhere: ${r.url()}`));
    await use(page);
    expect(faults).toEqual([]);
  },
});

/** No accessibility fault, in light and in dark. */
export async function accessible(page: Page) {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', colorScheme);
    const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
    expect(violations.map((v) => `${colorScheme}: ${v.id}: ${v.nodes.map((n) => `${n.html}: ${n.failureSummary}`).join(' | ')}`)).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** The code of an authenticator (RFC 6238: SHA-1, 30 seconds, six digits). */
export function code(key: string, at = Date.now()): string {
  const bits = [...key.replaceAll(/[\s=]/g, '').toUpperCase()].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const secret = Buffer.from(bits.match(/.{8}/g)?.map((b) => Number.parseInt(b, 2)) ?? []);
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac('sha1', secret).update(step).digest();
  const from = (mac.at(-1) ?? 0) & 15;
  return String((mac.readUInt32BE(from) & 0x7f_ff_ff_ff) % 1_000_000).padStart(6, '0');
}

export { expect };
