// Pictures for the documentation, taken from the real server's demo town: KANGMA_BIN=… npm run pictures [folder]
import { join } from 'node:path';
import { desk, open, page, phone } from './browser.mjs';
import { eventually } from './check.mjs';
import { codeText, phones, resident, Server, staff } from './server.mjs';

const to = process.argv[2] ?? new URL('../../../docs/pictures', import.meta.url).pathname;
const server = await Server.start(process.env.KANGMA_BIN ?? 'kangma');
const browser = await open();
const faults = [];
const small = { ...phone, deviceScaleFactor: 1.4 };
const shot = (p, name, options) => p.screenshot({ path: join(to, `${name}.png`), ...options });
try {
  const texts = {};
  for (const colour of ['green', 'yellow', 'red']) {
    const p = await page(browser, small, faults);
    await resident(server, p, phones[colour]);
    texts[colour] = await codeText(p);
    await shot(p, `resident-${colour}`);
    await p.context().close();
  }
  const g = await page(browser, small, faults);
  await staff(server, g, '/gate', 'gate');
  await g.waitForSelector('#paste');
  for (const [colour, at, name] of [['green', 'metro-1', 'gate-go'], ['red', 'metro-1', 'gate-stop'], ['yellow', 'g15-haifeng', 'gate-home-isolation']]) {
    await g.getByLabel('卡口', { exact: true }).selectOption(at);
    await g.fill('#paste', texts[colour]);
    await g.click('.ways button >> text=核验');
    await g.waitForSelector('.verdict');
    await shot(g, name);
    await g.click('.verdict-next');
  }
  await g.waitForTimeout(2500); // the passages are counted a moment later
  const o = await page(browser, { ...desk, deviceScaleFactor: 1, viewport: { width: 1000, height: 760 } }, faults);
  await staff(server, o, '/office', 'official');
  await o.waitForSelector('.total');
  await o.waitForTimeout(800);
  await shot(o, 'office');
  await withoutServer();
} finally {
  await browser.close();
  await server.close();
}
// withoutServer shows both pages after the server has gone.
async function withoutServer() {
  const narrow = { ...phone, viewport: { width: 360, height: 740 }, deviceScaleFactor: 1 };
  const [r, at] = [await page(browser, narrow, []), await page(browser, narrow, [])];
  await resident(server, r, phones.green);
  await staff(server, at, '/gate', 'gate');
  await at.waitForSelector('text=离线名单已备好', { timeout: 30_000 });
  for (const [p, file] of [[r, '/resident'], [at, '/kangma-gate']]) await eventually(() => p.evaluate(async (f) => Boolean(await caches.match(f)), file), file, 60_000);
  await server.stop();
  for (const [p, what, name] of [[r, '.frame-offline', 'resident-offline'], [at, '.offline-bar.on', 'gate-offline']]) {
    await p.reload();
    await p.waitForSelector(what, { timeout: 30_000 });
    await shot(p, name);
  }
}

if (faults.length > 0) throw new Error(faults.join('\n'));
