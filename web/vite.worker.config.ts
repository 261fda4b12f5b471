import { readdirSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { defineConfig } from 'vite';

// The service worker: one classic script at a fixed address, built after the app because it knows the app's files.
const dist = new URL('./dist/', import.meta.url);
const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !/(\.br|\.gz|^sw\.js|manifest\.json)$/.test(entry.name))
  .map((entry) => `${entry.parentPath}/${entry.name}`.replace(/^.*\/dist\/+/, '/').replaceAll('//', '/'))
  .sort();
const version = createHash('sha256');
for (const file of files) version.update(file).update(readFileSync(new URL(`.${file}`, dist)));

export default defineConfig({
  publicDir: false,
  define: {
    __FILES__: JSON.stringify(files),
    __BUILD__: JSON.stringify(version.digest('hex').slice(0, 12)),
  },
  build: {
    outDir: 'dist',
    emptyOutDir: false,
    reportCompressedSize: false,
    rolldownOptions: {
      input: 'src/sw/main.ts',
      output: { format: 'iife', entryFileNames: 'sw.js' },
    },
  },
});
