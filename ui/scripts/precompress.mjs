// Compresses what the server hands out, once and as well as it can be done: nothing is
// compressed while somebody waits.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const assets = new URL('../dist/assets/', import.meta.url).pathname;
for (const name of readdirSync(assets)) {
  if (!/\.(js|css|svg)$/.test(name)) continue;
  const raw = readFileSync(join(assets, name));
  const quality = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: raw.length };
  writeFileSync(join(assets, `${name}.br`), brotliCompressSync(raw, { params: quality }));
  writeFileSync(join(assets, `${name}.gz`), gzipSync(raw, { level: 9 }));
}
