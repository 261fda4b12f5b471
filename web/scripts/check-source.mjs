// What the compilers can't see: rules of the house that hold in every source file.
import { readdirSync, readFileSync } from 'node:fs';

const root = new URL('../src/', import.meta.url).pathname;
const rules = [
  [/\sstyle="/, 'an inline style (the CSP forbids it: use a class or a style: directive)'],
  [/\{@html\b/, '{@html} (nothing a person wrote becomes markup)'],
  [/\bconsole\.(log|info|debug|warn|error)\b/, 'console output (it may hold what a person wrote)'],
  [/(margin|padding|border)-(left|right)\b|[\s;](left|right):|text-align:\s*(left|right)/, 'a physical direction (use logical properties)'],
  [/sessionStorage/, 'sessionStorage'],
  [/\bas any\b|:\s*any\b/, 'any'],
];
const LONGEST = 600;
/** Interface settings alone may be kept here. */
const mayKeep = ['i18n/index.svelte.ts', 'app/theme.svelte.ts'];

const wrong = [];
for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(svelte|ts|css)$/.test(entry.name) || ['schema.d.ts', 'contract.d.ts'].includes(entry.name)) continue;
  const path = `${entry.parentPath}/${entry.name}`;
  const name = path.slice(root.length).replace(/^\//, '');
  if (name.startsWith('engine/pkg/')) continue;
  const text = readFileSync(path, 'utf8');
  const lines = text.split('\n');
  if (lines.length > LONGEST) wrong.push(`${name}: ${lines.length} lines; more than ${LONGEST}`);
  lines.forEach((line, index) => {
    for (const [pattern, what] of rules) if (pattern.test(line)) wrong.push(`${name}:${index + 1}: ${what}`);
    if (/localStorage/.test(line) && !mayKeep.includes(name)) wrong.push(`${name}:${index + 1}: localStorage`);
  });
}

if (wrong.length > 0) {
  console.error(wrong.join('\n'));
  process.exit(1);
}
console.log('source: keeps the rules');
