import { type Locator, type Page, test } from '@playwright/test';

/**
 * The hand of a person: everything that a test of how much there is to do does goes through
 * it, and is counted. The keys of connections are not: nobody can be spared those.
 */
export class Hand {
  private clicks = 0;
  private fills = 0;
  private keys = 0;

  constructor(private readonly page: Page) {}

  async click(what: Locator) {
    this.clicks++;
    await what.click();
  }

  async fill(what: Locator, text: string) {
    this.fills++;
    await what.fill(text);
  }

  async press(key: string) {
    this.keys++;
    await this.page.keyboard.press(key);
  }

  /** Pastes a key or an id of a connection. */
  async paste(what: Locator, text: string) {
    await what.fill(text);
  }

  get count() {
    return this.clicks + this.fills + this.keys;
  }

  /** Keeps what was counted for the end of the run, where it is printed. */
  note(what: string, most: number) {
    const description = `${what}: ${this.count} of at most ${most} (${this.clicks} clicks, ${this.fills} fills, ${this.keys} keys)`;
    test.info().annotations.push({ type: 'counted', description });
  }
}
