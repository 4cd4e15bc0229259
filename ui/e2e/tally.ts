import type { FullResult, Reporter, Suite } from '@playwright/test/reporter';

/** Says at the end what tests counted and, alone on a line, how many passed and failed. */
export default class Tally implements Reporter {
  private suite?: Suite;

  onBegin(_: unknown, suite: Suite) {
    this.suite = suite;
  }

  onEnd(result: FullResult) {
    const tests = this.suite?.allTests() ?? [];
    for (const t of tests) for (const r of t.results) for (const a of r.annotations) if (a.type === 'counted') console.log(a.description);
    const passed = tests.filter((t) => t.outcome() === 'expected').length;
    console.log(`\n${passed} passed, ${tests.length - passed} failed`);
    if (result.status === 'passed' && passed !== tests.length) process.exitCode = 1;
  }
}
