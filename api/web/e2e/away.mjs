// A server whose state is in Redis, and Redis goes away: the resident's page says of what time its colour is, in both languages, and
// the gate's page says it with the verdict; when Redis is back both stop saying so.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { desk, open, page, phone } from './browser.mjs';
import { assert, eventually } from './check.mjs';
import { freshText, phones, resident, Server, staff } from './server.mjs';
import { accessible } from './states.mjs';

const binary = process.env.REDIS_SERVER ?? '/usr/bin/redis-server';

async function freePort() {
  const s = createServer();
  await new Promise((done) => s.listen(0, '127.0.0.1', done));
  const { port } = s.address();
  await new Promise((done) => s.close(done));
  return port;
}

// Redis is a server of this test's own, with its file in a folder that is thrown away.
class Redis {
  async start(port) {
    this.port ??= port;
    this.dir ??= await mkdtemp(join(tmpdir(), 'kangma-e2e-redis-'));
    this.process = spawn(binary, ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.dir, '--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction'], { stdio: 'ignore' });
    this.ended = new Promise((done) => this.process.on('close', done));
  }

  async stop() {
    this.process?.kill('SIGTERM');
    await this.ended;
  }

  async close() {
    await this.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

const figure = async (server, name) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]);

export async function away(run, bin) {
  if (!existsSync(binary)) {
    console.log(`      ${binary} is not there: the pages without Redis were not tried`);
    return;
  }
  const redis = new Redis();
  await redis.start(await freePort());
  const browser = await open();
  let server;
  try {
    server = await Server.start(bin, ['--redis', `127.0.0.1:${redis.port}`, '--redis-new']);
    await pages(run, browser, server, redis);
  } finally {
    await browser.close();
    await server?.close();
    await redis.close();
  }
}

async function pages(run, browser, server, redis) {
  const r = await page(browser, phone, run.faults);
  const e = await page(browser, { ...phone, locale: 'en-GB' }, run.faults);
  const g = await page(browser, desk, run.faults);
  const update = (p) => p.locator('.code-buttons button').last().click();
  await run.check('with Redis there nothing is said of an age', async () => {
    await resident(server, r, phones.green);
    await r.waitForSelector('.frame-green');
    await resident(server, e, phones.yellow);
    await e.waitForSelector('.frame-yellow');
    await staff(server, g, '/gate', 'gate');
    await g.waitForSelector('#paste');
    await g.getByLabel('卡口', { exact: true }).selectOption('metro-1');
    assert.equal(await r.locator('.as-of').count(), 0);
    const from = Date.now();
    await eventually(async () => (await figure(server, 'kangma_state_copy_age_seconds')) < (Date.now() - from) / 1000, 'a copy of everything', 60_000);
  });
  await run.check('with Redis away both pages and the gate say of what time it is', async () => {
    await redis.stop();
    await eventually(async () => (await figure(server, 'kangma_state_absent')) === 1, 'the server notices', 30_000);
    await update(r);
    await r.waitForSelector('.frame-green .as-of');
    assert.match(await r.textContent('.as-of'), /登记库暂时没有应答：这是按 \d+月\d+日 \d\d:\d\d 的资料判定的/);
    await accessible(r);
    await update(e);
    await e.waitForSelector('.frame-yellow .as-of');
    assert.match(await e.textContent('.as-of'), /decided as of \d+ \w+ \d\d:\d\d/);
    await g.fill('#paste', await freshText(r));
    await g.click('.ways button >> text=核验');
    await g.waitForSelector('.fill-green');
    assert.match(await g.textContent('.verdict-why'), /\d\d:\d\d/);
    await g.waitForSelector('.verdict', { state: 'detached' });
  });
  await run.check('with Redis away a phone without a credential of its own shows the code of the server, and a gate takes it', async () => {
    await e.evaluate(() => new Promise((done, fail) => {
      indexedDB.open('kangma').onsuccess = (ev) => {
        const tx = ev.target.result.transaction('phone', 'readwrite');
        const kept = tx.objectStore('phone');
        kept.get('vault').onsuccess = (v) => kept.put({ ...v.target.result, held: [] }, 'vault');
        tx.oncomplete = () => done(ev.target.result.close());
        tx.onerror = fail;
      };
    }));
    await e.reload();
    await e.waitForSelector('.frame-yellow .as-of');
    assert.match(await e.textContent('.code-facts'), /The server lends this code: good for \d+ s more/);
    await accessible(e);
    await g.fill('#paste', await freshText(e));
    await g.click('.ways button >> text=核验');
    await g.waitForSelector('.fill-yellow');
    await g.locator('.verdict button').first().click();
    await g.waitForSelector('.verdict', { state: 'detached' });
  });
  await run.check('with Redis back nobody says so any more', async () => {
    await redis.start();
    await eventually(async () => (await figure(server, 'kangma_state_absent')) === 0, 'the server notices', 60_000);
    for (const p of [r, e]) {
      await update(p);
      await p.waitForSelector('.as-of', { state: 'detached' });
      await p.waitForSelector('.qr');
      await eventually(async () => (await p.locator('.code-buttons button').count()) === 2, 'a credential of its own'); // a lent code has one button
    }
  });
}
