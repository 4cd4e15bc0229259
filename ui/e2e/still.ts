import type { Page } from '@playwright/test';

const day = 86_400_000;
const now = '2026-03-02T08:12:00Z';
const past = '2026-03-02T08:00:00Z';
const soon = '2026-03-02T16:00:00Z'; // 02:00 where the demonstration is

/**
 * Holds still what moves by itself, so that a picture of today is one of tomorrow: it is
 * always 12 minutes after everything that the stage did, the night is at two, and what is
 * drawn at random looks the same. The page is told so; what the program does is untouched.
 */
export async function still(page: Page) {
  await page.clock.setFixedTime(now);
  await page.route(
    (url) => url.pathname.startsWith('/api/v1/'),
    async (route) => {
      const url = new URL(route.request().url());
      if (route.request().method() !== 'GET' || url.pathname.endsWith('/events')) return route.fallback();
      const response = await route.fetch();
      if (!response.headers()['content-type']?.includes('json')) return route.fulfill({ response });
      const text = held(await response.text());
      return route.fulfill({ response, body: url.pathname.endsWith('/trends') ? cut(text) : text });
    },
  );
}

/** A line of months up to the one in which it is. */
function cut(text: string): string {
  const trend = JSON.parse(text) as { points: { month: string }[] };
  return JSON.stringify({ ...trend, points: trend.points.filter((p) => p.month <= now.slice(0, 7)) });
}

/** An answer of the program with the times of the last days, and of the next, put to where they always are. */
function held(text: string, at = Date.now()): string {
  const today = new Date(at);
  return text
    .replaceAll(/"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))"/g, (whole, time: string) => {
      const from = Date.parse(time) - at;
      if (Math.abs(from) > 40 * day) return whole;
      return `"${from > 60_000 ? soon : past}"`;
    })
    .replaceAll(new RegExp(`"${today.toISOString().slice(0, 10)}"`, 'g'), '"2026-03-02"')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:8443')
    .replaceAll(/\bTU([-:]?)[A-Za-z0-9]{10}\b/g, 'TU$1abcdefghij');
}
