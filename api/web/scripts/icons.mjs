// Draws public/icon-*.png from src/favicon.svg by Chromium: node scripts/icons.mjs. The mark stays inside the circle that
// phones cut icons to.
import { readFileSync } from 'node:fs';
import { open } from '../e2e/browser.mjs';

const svg = readFileSync(new URL('../src/favicon.svg', import.meta.url), 'utf8');
const browser = await open();
for (const size of [192, 512]) {
  const p = await browser.newPage({ viewport: { width: size, height: size } });
  await p.setContent(`<body style="margin:0;background:#0b3d66;display:grid;place-items:center;height:${size}px">${svg.replace('<svg ', `<svg width="${size * 0.72}" height="${size * 0.72}" `)}</body>`);
  await p.screenshot({ path: new URL(`../public/icon-${size}.png`, import.meta.url).pathname });
}
await browser.close();
