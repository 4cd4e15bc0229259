import type { Page } from '@playwright/test';

/** Lets an address of the API answer with something that the stage doesn't have. */
export async function answer(page: Page, path: string, body: unknown, status = 200) {
  await page.route(
    (url) => url.pathname === `/api/v1${path}`,
    (route) => (route.request().method() === 'GET' ? route.fulfill({ status, contentType: status < 400 ? 'application/json' : 'application/problem+json', body: JSON.stringify(body) }) : route.fallback()),
  );
}

/** What the API answers when something breaks. */
export const broken = { type: 'about:blank', title: 'Broken', status: 500, code: 'unexpected', detail: 'Trueup could not do it.', action: 'Try again in a minute.', reference: '7F3A-19C2' };

/** Lets the page be drawn as for somebody with another role; what is asked is still asked as oneself. */
export async function asRole(page: Page, role: 'viewer' | 'technician' | 'billing') {
  await page.route(
    (url) => url.pathname === '/api/v1/session',
    async (route) => {
      const response = await route.fetch();
      const session = (await response.json()) as { workspace?: { role: string } };
      if (session.workspace) session.workspace.role = role;
      await route.fulfill({ json: session });
    },
  );
}
