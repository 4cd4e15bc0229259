import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What the stage says when it is ready. */
export interface Stage {
  url: string;
  email: string;
  password: string;
}

/** Starts simulators and program, and gives the tests the address and the first password. */
export default async function setUp() {
  const root = new URL('../../', import.meta.url).pathname;
  const stage = spawn(`${root}bin/stage`, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => stage.once('exit', () => resolve()));
  for await (const line of createInterface({ input: stage.stdout })) {
    if (!line.startsWith('{')) continue;
    process.env.STAGE = line;
    return async () => {
      stage.stdin.end(); // it takes everything down
      await ended;
    };
  }
  throw new Error('the stage ended before it was ready');
}

export const stage = (): Stage => JSON.parse(process.env.STAGE ?? '{}') as Stage;
