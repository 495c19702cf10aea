// The server goes: the resident's page opens all the same and its code goes on changing; the gate's page opens, reads that code
// from its picture, decides, and keeps the passages; the server comes back and gets each once.
import decodeQR from 'qr/decode.js';
import { open, page, phone } from './browser.mjs';
import { assert, eventually } from './check.mjs';
import { codeText, freshText, phones, resident, staff } from './server.mjs';
import { accessible } from './states.mjs';

const narrow = { ...phone, viewport: { width: 360, height: 740 } };
const shot = async (p, name) => { if (process.env.SHOTS) await p.screenshot({ path: `${process.env.SHOTS}/${name}.png` }); };

// kept waits until the service worker has what a page needs.
const kept = (p, what) => eventually(() => p.evaluate(async (path) => Boolean(navigator.serviceWorker.controller) && Boolean(await caches.match(path)), what), `${what} in the cache`, 60_000);

// photograph takes a picture of the QR and the text it shows at that moment: a slot may end between two looks.
async function photograph(p) {
  return eventually(async () => {
    const text = await codeText(p);
    const png = await p.locator('.qr').screenshot();
    return (await codeText(p)) === text && { text, png };
  }, 'a picture within one slot', 60_000);
}

// read reads the QR in a picture, away from the page that showed it.
async function read(browser, png) {
  const context = await browser.newContext();
  const q = await context.newPage();
  const image = await q.evaluate(async (b64) => {
    const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${b64}`)).blob());
    const g = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    g.drawImage(bitmap, 0, 0);
    const { data } = g.getImageData(0, 0, bitmap.width, bitmap.height);
    let grey = '';
    for (let i = 0; i < data.length; i += 4) grey += String.fromCharCode(data[i + 1]);
    return { width: bitmap.width, height: bitmap.height, grey: btoa(grey) };
  }, png.toString('base64'));
  await context.close();
  const rgba = Uint8ClampedArray.from([...Buffer.from(image.grey, 'base64')].flatMap((v) => [v, v, v, 255]));
  return decodeQR({ width: image.width, height: image.height, data: rgba });
}

export async function offline(run, server) {
  const browser = await open();
  const r = await page(browser, narrow, run.faults);
  const yellow = await page(browser, narrow, run.faults);
  const g = await page(browser, narrow, run.faults);
  const scan = async (code) => {
    await g.waitForSelector('.verdict', { state: 'detached' });
    await g.fill('#paste', code);
    await g.click('.ways button >> text=核验');
    await g.waitForSelector('.verdict');
    return { decision: await g.textContent('.verdict-decision'), why: await g.textContent('.verdict-why'), event: await g.getAttribute('.verdict', 'data-event') };
  };
  const next = async () => {
    if (await g.locator('.verdict-next').count()) await g.locator('.verdict-next').first().click().catch(() => {});
    await g.waitForSelector('.verdict', { state: 'detached' });
  };
  let passed;
  try {
    await run.check('pages that were opened once are kept, and nothing of the API with them', async () => {
      await resident(server, r, phones.green);
      await resident(server, yellow, phones.yellow);
      await kept(r, '/resident');
      await staff(server, g, '/gate', 'gate');
      await g.waitForSelector('#paste');
      await g.getByLabel('卡口', { exact: true }).selectOption('metro-1');
      await g.waitForSelector('text=离线名单已备好', { timeout: 30_000 });
      await kept(g, '/kangma-gate');
      for (const p of [r, g]) {
        const held = await p.evaluate(async () => (await Promise.all((await caches.keys()).map(async (k) => (await (await caches.open(k)).keys()).map((q) => new URL(q.url).pathname)))).flat());
        assert.ok(held.length > 10);
        assert.deepEqual(held.filter((path) => path.startsWith('/v1')), []);
      }
      const answer = await r.request.get(`${server.url}/sw.js`);
      assert.match(answer.headers()['content-security-policy'], /script-src 'self' 'wasm-unsafe-eval'/);
      assert.equal(answer.headers()['cache-control'], 'no-cache');
    });
    await run.check('without the server the resident\'s page opens and the code changes every slot', async () => {
      await server.stop();
      await r.reload();
      await r.waitForSelector('.frame-green.frame-offline', { timeout: 20_000 });
      await accessible(r);
      await shot(r, 'real-resident-offline');
      const before = await photograph(r);
      await eventually(async () => (await codeText(r)) !== before.text, 'the next slot', 60_000);
      const after = await photograph(r);
      for (const { text, png } of [before, after]) assert.equal(await read(browser, png), text);
    });
    await run.check('without the server the gate\'s page opens, reads the code and decides by its list', async () => {
      await g.reload();
      await g.waitForSelector('.offline-bar.on', { timeout: 20_000 });
      assert.match(await g.textContent('.offline-word'), /离线核验 · 名单 \d\d:\d\d/);
      await accessible(g);
      await shot(g, 'real-gate-offline');
      const code = await read(browser, (await photograph(r)).png);
      passed = await scan(code);
      assert.equal(passed.decision, '放行');
      await shot(g, 'real-gate-offline-pass');
      await next();
      assert.match((await scan(code)).why, /已被使用/);
      await next();
      const held = await scan(await freshText(yellow));
      assert.equal(held.decision, '劝返');
      await accessible(g);
      await shot(g, 'real-gate-offline-deny');
      await next();
      assert.match(await g.textContent('.offline-bar'), /3 条通行记录等待上传/);
    });
    await run.check('a reload loses no passage, and makes no proof good again', async () => {
      await g.reload();
      await g.waitForSelector('text=3 条通行记录等待上传', { timeout: 20_000 });
      const code = await freshText(r);
      assert.equal((await scan(code)).decision, '放行');
      await g.reload();
      await g.waitForSelector('text=4 条通行记录等待上传', { timeout: 20_000 });
      assert.match((await scan(code)).why, /已被使用/);
      await next();
    });
    await run.check('the server comes back and has each passage once', async () => {
      await server.again();
      await g.click('text=马上上传', { timeout: 2000 }).catch(() => {}); // it may have tried by itself
      await g.waitForSelector('text=等待上传', { state: 'detached', timeout: 60_000 });
      await g.waitForSelector('.offline-bar:not(.on)');
      const list = await eventually(async () => {
        const got = await g.evaluate(async () => (await (await fetch('/v1/gates/metro-1/passages?limit=50', { headers: { 'Kangma-As': 'staff' } })).json()).passages);
        return got?.some((x) => x.event === passed.event) && got;
      }, 'the passage', 30_000);
      assert.equal(list.filter((x) => x.event === passed.event).length, 1);
      await r.click('text=马上更新');
      await r.waitForSelector('.frame-green:not(.frame-offline)', { timeout: 20_000 });
    });
  } finally {
    run.faults.length = 0;
    await browser.close();
  }
}
