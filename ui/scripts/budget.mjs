// Holds the size of what a browser loads: the first page at most 200 kB, a screen at most
// 60 kB more, both gzipped. Charts come after what they draw and are counted apart.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const first = 200, screen = 60, charts = 150;
const dist = new URL('../dist/', import.meta.url).pathname;
const size = (name) => gzipSync(readFileSync(join(dist, name)), { level: 9 }).length / 1000;

const html = readFileSync(join(dist, 'index.html'), 'utf8');
const eager = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((m) => m[1]);
const rows = [['first load', eager.reduce((sum, name) => sum + size(name), 0), first]];
for (const name of readdirSync(join(dist, 'assets'))) {
  if (!/\.(js|css)$/.test(name) || eager.includes(`assets/${name}`)) continue;
  rows.push([name, size(`assets/${name}`), /^charts/.test(name) ? charts : screen]);
}
let broken = 0;
for (const [what, kB, most] of rows) {
  if (kB > most) broken++;
  console.log(`${kB > most ? 'OVER' : 'ok  '} ${kB.toFixed(1).padStart(6)} kB of ${most}  ${what}`);
}
process.exit(broken ? 1 : 0);
