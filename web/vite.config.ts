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
    // On a bad line each file costs a round trip, however small: one style sheet, one chunk for what every screen needs, and
    // one for the night's screens.
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'core', test: /\/src\/(main|ui|app|api|duty|engine|i18n\/[^/]+\.ts)|\/node_modules\/(svelte|esm-env|clsx)\//, priority: 2 },
            { name: 'night', test: /\/src\/routes\/(officer|responder)\//, priority: 1 },
          ],
        },
      },
    },
    // Lets scripts/budgets.mjs see what the first screen loads. Not shipped.
    manifest: 'build-manifest.json',
  },
  worker: { format: 'es' },
  server: { proxy: { '/v1': { target: server, ws: true, changeOrigin: true } } },
});
