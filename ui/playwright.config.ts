import { defineConfig } from '@playwright/test';

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

// One worker and one person: the tests look at one program, in the order of a first day.
export default defineConfig({
  testDir: 'e2e',
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 180_000, // a busy machine is slow, not broken
  expect: { timeout: 30_000 },
  globalSetup: './e2e/stage.ts',
  reporter: [['list'], ['./e2e/tally.ts']],
  use: {
    launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags },
    locale: 'en-US',
    timezoneId: 'UTC',
    colorScheme: 'light',
    reducedMotion: 'reduce',
    viewport: { width: 1280, height: 800 },
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'first', testMatch: 'signin.spec.ts' },
    { name: 'then', testIgnore: 'signin.spec.ts', dependencies: ['first'], use: { storageState: 'test-results/person.json' } },
  ],
});
