import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

/** Where `npm run dev` finds the server. */
const server = process.env['FIRSTLIGHT_SERVER'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: 'dist',
    // Everything is a file of its own: the CSP allows neither inline scripts and styles nor data: fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Lets scripts/budgets.mjs see what the first screen loads. Not shipped.
    manifest: 'build-manifest.json',
  },
  worker: { format: 'es' },
  server: { proxy: { '/v1': { target: server, ws: true, changeOrigin: true } } },
});
