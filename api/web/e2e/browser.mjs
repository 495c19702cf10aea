// A headless Chromium of the machine, with an empty profile that is thrown away.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const quiet = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

// open gives a browser; camera is the file of a fake camera's picture (MJPEG or Y4M).
export async function open(camera) {
  const path = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => existsSync(p));
  if (!path) throw new Error('no Chromium here: install the package chromium, or set CHROMIUM');
  const fake = camera ? ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${camera}`] : [];
  return chromium.launch({ executablePath: path, args: [...quiet, ...fake] });
}

export const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, locale: 'zh-CN', timezoneId: 'Asia/Shanghai' };
export const desk = { viewport: { width: 1100, height: 860 }, deviceScaleFactor: 1.5, locale: 'zh-CN', timezoneId: 'Asia/Shanghai' };

// page opens a page that fails the run on what nobody should see: script errors, blocked files, requests to other hosts.
export async function page(browser, options, faults) {
  const context = await browser.newContext(options);
  const p = await context.newPage();
  p.on('pageerror', (err) => faults.push(`script error: ${err.message}`));
  p.on('console', (m) => { if (/Content Security Policy|violates/i.test(m.text())) faults.push(`policy: ${m.text()}`); });
  p.on('request', (r) => { if (!/^(http:\/\/(127\.0\.0\.1|localhost):|data:|blob:)/.test(r.url())) faults.push(`a request left the server: ${r.url()}`); });
  return p;
}
