import { defineConfig } from '@playwright/test';
import { signedIn } from './e2e/stage';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
];

// One worker, one browser, one program, one person who is signed in already. The limits
// are wide: a busy machine is slow, not broken. There is no recording, which takes as long
// as the tests; what the page was like when a test failed is in its error-context.md.
export default defineConfig({
  testDir: 'e2e',
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 300_000,
  expect: { timeout: 60_000, toHaveScreenshot: { maxDiffPixelRatio: 0.01 } },
  snapshotPathTemplate: 'e2e/__shots__/{arg}{ext}',
  // Pictures are of a world in which nothing was changed yet, so they come first.
  projects: [
    { name: 'pictures', testMatch: 'shots.spec.ts' },
    { name: 'pages', testIgnore: 'shots.spec.ts' },
  ],
  globalSetup: './e2e/stage.ts',
  reporter: [['list'], ['./e2e/tally.ts']],
  use: {
    launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags },
    locale: 'en-US',
    timezoneId: 'UTC',
    colorScheme: 'light',
    reducedMotion: 'reduce',
    viewport: { width: 1280, height: 800 },
    storageState: signedIn,
    trace: 'off',
    screenshot: 'only-on-failure',
  },
});
