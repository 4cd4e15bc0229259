// Fails when src/api/schema.d.ts isn't what openapi.yaml says now.
import { readFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const document = new URL('../../server/api/openapi.yaml', import.meta.url);
const kept = readFileSync(new URL('../src/api/schema.d.ts', import.meta.url), 'utf8');
const now = astToString(await openapiTS(document));
if (!kept.endsWith(now)) {
  console.error('src/api/schema.d.ts is not what server/api/openapi.yaml says. Run: npm run types');
  process.exit(1);
}
