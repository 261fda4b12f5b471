// src/engine/contract.d.ts is what web/engine/contract.json says; `--write` makes it anew.
import { readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const kept = new URL('../src/engine/contract.d.ts', import.meta.url);
const fresh = astToString(await openapiTS(new URL('../engine/contract.json', import.meta.url)));
if (process.argv.includes('--write')) {
  writeFileSync(kept, `// Generated from web/engine/contract.json: npm run contract\n\n${fresh}`);
} else if (readFileSync(kept, 'utf8').replace(/^\/\/.*\n\n/, '') !== fresh) {
  console.error('src/engine/contract.d.ts differs from engine/contract.json: run `npm run contract`');
  process.exit(1);
} else {
  console.log('contract: as contract.json');
}
