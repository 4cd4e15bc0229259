// Holds the size of what a browser loads, gzipped: the first page at most 200 kB, a screen
// at most 60 kB more, the pod inside ConnectWise at most 80 kB with its page and all.
// Charts come after what they draw and are counted apart.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const first = 200, screen = 60, charts = 150, pod = 80;
const dist = new URL('../dist/', import.meta.url).pathname;
const size = (name) => gzipSync(readFileSync(join(dist, name)), { level: 9 }).length / 1000;

const loads = (page) => [...readFileSync(join(dist, page), 'utf8').matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((m) => m[1]);
const sum = (names) => names.reduce((all, name) => all + size(name), 0);
const eager = loads('index.html');
// Whatever the pod's own pieces would load later is counted with it.
const inPod = new Set(['embed.html', ...loads('embed.html')]);
for (const name of inPod) {
  if (!name.endsWith('.js')) continue;
  for (const [, piece] of readFileSync(join(dist, name), 'utf8').matchAll(/["'`]\.\/([\w-]+\.(?:js|css))["'`]/g)) inPod.add(`assets/${piece}`);
}
const rows = [
  ['first load', sum(eager), first],
  ['the pod', sum([...inPod]), pod],
];
for (const name of readdirSync(join(dist, 'assets'))) {
  if (!/\.(js|css)$/.test(name) || eager.includes(`assets/${name}`) || inPod.has(`assets/${name}`)) continue;
  rows.push([name, size(`assets/${name}`), /^charts/.test(name) ? charts : screen]);
}
let broken = 0;
for (const [what, kB, most] of rows) {
  if (kB > most) broken++;
  console.log(`${kB > most ? 'OVER' : 'ok  '} ${kB.toFixed(1).padStart(6)} kB of ${most}  ${what}`);
}
process.exit(broken ? 1 : 0);
