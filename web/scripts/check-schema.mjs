// src/api/schema.d.ts is what openapi.json says. If not: npm run schema
import { readFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const fresh = astToString(await openapiTS(new URL('../../protocol/docs/openapi.json', import.meta.url)));
const kept = readFileSync(new URL('../src/api/schema.d.ts', import.meta.url), 'utf8');
const body = (text) => text.replace(/^\/\*\*[\s\S]*?\*\/\s*/, '').trim();
if (body(fresh) !== body(kept)) {
  console.error('src/api/schema.d.ts differs from protocol/docs/openapi.json: run `npm run schema`');
  process.exit(1);
}
console.log('schema: as openapi.json');
