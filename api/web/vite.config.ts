import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { writeWorker } from './scripts/worker.mjs';

// Where a running `kangma serve` answers while developing with `npm run dev`.
const server = process.env.KANGMA_URL ?? 'http://127.0.0.1:8080';
const pages = ['index', 'resident', 'gate', 'vehicle', 'office'];

export default defineConfig({
  resolve: { alias: { crypto: resolve(import.meta.dirname, 'src/lib/nocrypto.ts') } }, // @hpke/common asks for Node's where a browser has none
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2019', // old Android WebViews
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy allows no data: scripts and styles
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      input: Object.fromEntries(pages.map((p) => [p, resolve(import.meta.dirname, `${p}.html`)])),
    },
  },
  worker: { format: 'iife' }, // classic workers: module workers came late to phones
  server: {
    proxy: Object.fromEntries(['/v1', '/healthz', '/readyz', '/openapi.json'].map((p) => [p, { target: server }])),
  },
  plugins: [cleanAddresses(), serviceWorker()],
  test: { environment: 'happy-dom', include: ['test/**/*.test.ts', 'test/**/*.test.tsx'] },
});

// serviceWorker writes the service worker once all other files of a build are there.
function serviceWorker() {
  return {
    name: 'service-worker',
    apply: 'build' as const,
    closeBundle: { order: 'post' as const, sequential: true, handler: () => writeWorker(resolve(import.meta.dirname, 'dist'), resolve(import.meta.dirname, 'src/sw/sw.js')) },
  };
}

// cleanAddresses lets the development server answer /gate as the real server does.
function cleanAddresses() {
  return {
    name: 'clean-addresses',
    configureServer(s: { middlewares: { use(f: (req: { url?: string }, res: unknown, next: () => void) => void): void } }) {
      s.middlewares.use((req, _res, next) => {
        const path = (req.url ?? '').split('?')[0]!.slice(1);
        if (pages.includes(path)) req.url = `/${path}.html`;
        next();
      });
    },
  };
}
