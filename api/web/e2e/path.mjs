// The whole path on the real server: register, declare, see the code, scan it by paste, photo and camera, see the passage
// in every list, and what is left when the server is gone.
import { join } from 'node:path';
import { desk, open, page, phone } from './browser.mjs';
import { clip, frames } from './camera.mjs';
import { assert, eventually } from './check.mjs';
import { freshText, phones, resident, Server, staff } from './server.mjs';
import { accessible } from './states.mjs';

export async function path(run, bin) {
  const server = await Server.start(bin);
  const browser = await open();
  try {
    const p = await newcomer(run, browser, server);
    await colours(run, browser, server);
    await gate(run, browser, server, p);
    await lists(run, browser, server, p);
    await twoLogins(run, browser, server);
  } finally {
    await browser.close();
    await server.close();
  }
}

async function newcomer(run, browser, server) {
  const p = await page(browser, phone, run.faults);
  await run.check('a newcomer registers, logs in and sees a code', async () => {
    await p.goto(`${server.url}/`);
    await p.click('text=我的康码');
    await p.click('text=注册');
    await p.getByLabel('姓名').fill('赵新来');
    await p.getByLabel('证件号码').fill('441502199505053217');
    await p.getByLabel('手机号').fill('13900001234');
    await p.getByLabel(/^居住地/).selectOption({ label: '广东省' });
    await p.getByLabel('城市').selectOption({ label: '汕尾市' });
    await p.getByLabel('区县').selectOption({ label: '城区' });
    await p.locator('button.wide').click();
    if (await p.locator('.fault').count()) throw new Error(await p.locator('.fault').first().innerText());
    await p.waitForSelector('text=注册成功');
    const code = await server.otp(() => p.locator('button.wide').click());
    await p.locator('input[autocomplete=one-time-code]').fill(code);
    await p.locator('button.wide').click();
    await p.waitForSelector('.frame-green');
    assert.equal(await p.textContent('.code-name'), '赵*来');
    await accessible(p);
  });
  await run.check('a wrong number and a wrong password are told in words, in the page\'s language', async () => {
    const q = await page(browser, { ...phone, locale: 'en-GB' }, run.faults);
    await q.goto(`${server.url}/resident`);
    await q.click('text=Register');
    await q.getByLabel('Full name').fill('Li Lei');
    await q.getByLabel('Document number').fill('441502199505053216');
    await q.getByLabel('Mobile number').fill('123456');
    await q.locator('button.wide').click();
    await eventually(async () => (await q.locator('.fault').count()) === 2, 'two faults');
    await q.click('text=Back');
    await q.getByLabel('Mobile number').fill(phones.green);
    await q.locator('button.wide').click();
    await q.locator('input[autocomplete=one-time-code]').fill('000000');
    await q.locator('button.wide').click();
    await q.waitForSelector('.problem >> text=one-time password is wrong');
    await q.context().close();
  });
  await run.check('the login outlives a reload', async () => {
    await p.reload();
    await p.waitForSelector('.frame-green');
  });
  await run.check('a declaration and a journey are taken', async () => {
    await p.click('.tabs >> text=申报');
    await p.click('text=没有不舒服');
    await p.getByLabel(/体温/).fill('36.5');
    await p.locator('.choice', { hasText: /^否$/ }).click();
    await p.locator('button.wide').click();
    await p.waitForSelector('text=已收到');
    await p.click('.tabs >> text=行程');
    await p.getByLabel(/^车次或航班号/).fill('D2301');
    for (const [label, city] of [['出发地', '广州市'], ['到达地', '汕尾市']]) {
      await p.getByLabel(label).selectOption({ label: '广东省' });
      await p.getByLabel('城市').last().selectOption({ label: city });
    }
    await p.locator('button.wide').click();
    await p.waitForSelector('text=已收到');
    await p.waitForSelector('.frame-green');
  });
  return p;
}

async function colours(run, browser, server) {
  for (const colour of ['yellow', 'red']) {
    await run.check(`the ${colour} resident sees ${colour}, why, and what clears it`, async () => {
      const p = await page(browser, phone, run.faults);
      await resident(server, p, phones[colour]);
      await p.waitForSelector(`.frame-${colour}`);
      assert.match(await p.textContent('.reason .why'), /风险区/);
      assert.match(await p.textContent('.reason dl'), /转绿/);
      await p.context().close();
    });
  }
}

async function gate(run, browser, server, shown) {
  const p = await page(browser, desk, run.faults);
  await run.check('gate staff paste the code and let the person pass', async () => {
    await staff(server, p, '/gate', 'gate');
    await p.waitForSelector('#paste');
    await p.getByLabel('卡口', { exact: true }).selectOption('metro-1');
    await p.fill('#paste', await freshText(shown));
    await p.click('.ways button >> text=核验');
    await p.waitForSelector('.fill-green');
    assert.equal(await p.textContent('.verdict-decision'), '放行');
    assert.match(await p.textContent('.verdict-who'), /赵\*来/);
  });
  for (const [colour, at, fill, decision] of [['red', 'metro-1', 'red', '劝返'], ['red', 'g15-haifeng', 'red', '集中隔离'], ['yellow', 'g15-haifeng', 'yellow', '居家隔离'], ['yellow', 'hospital-1', 'yellow', '人工核验']]) {
    await run.check(`the ${colour} resident at ${at}: ${decision}`, async () => {
      const q = await page(browser, phone, run.faults);
      await resident(server, q, phones[colour]);
      await p.waitForSelector('.verdict', { state: 'detached' });
      await p.getByLabel('卡口', { exact: true }).selectOption(at);
      await p.fill('#paste', await freshText(q));
      await p.click('.ways button >> text=核验');
      await p.waitForSelector(`.fill-${fill}`);
      assert.equal(await p.textContent('.verdict-decision'), decision);
      assert.match(await p.textContent('.verdict-why'), /风险区/);
      await p.click('.verdict-next');
      await q.context().close();
    });
  }
  await run.check('a changed code is grey and named as what it is', async () => {
    const good = await freshText(shown);
    await p.fill('#paste', good.slice(0, -3) + (good.endsWith('AAA') ? 'BBB' : 'AAA'));
    await p.click('.ways button >> text=核验');
    await p.waitForSelector('.fill-grey');
    assert.match(await p.textContent('.verdict-why'), /伪造|损坏/);
    await p.click('.verdict-next');
    await p.fill('#paste', 'https://example.org/');
    await p.click('.ways button >> text=核验');
    await p.waitForSelector('.fill-grey');
    assert.match(await p.textContent('.verdict-why'), /不是健康码/);
    await p.click('.verdict-next');
  });
  await run.check('a photo of the code is read', async () => {
    const picture = (await frames(browser, await freshText(shown)))[2];
    await p.locator('input[type=file]').setInputFiles({ name: 'code.jpg', mimeType: 'image/jpeg', buffer: picture });
    await p.waitForSelector('.fill-green', { timeout: 15_000 });
    await p.waitForSelector('.verdict', { state: 'detached' });
    const nothing = (await frames(browser, 'x'))[0];
    await p.locator('input[type=file]').setInputFiles({ name: 'nothing.jpg', mimeType: 'image/jpeg', buffer: nothing });
    await p.waitForSelector('text=没有找到二维码');
  });
  await run.check('the camera reads the code once while it stays in view', async () => {
    const file = join(server.data, 'camera.mjpeg');
    const code = await freshText(shown);
    await clip(browser, code, file);
    const filmed = await open(file);
    try {
      const q = await page(filmed, phone, run.faults);
      let scans = 0;
      q.on('request', (r) => { if (r.url().endsWith('/v1/scans')) scans++; });
      await staff(server, q, '/gate', 'gate');
      await q.waitForSelector('.fill-green', { timeout: 20_000 });
      assert.match(await q.textContent('.verdict-who'), /赵\*来/);
      if (process.env.SHOTS) await q.screenshot({ path: `${process.env.SHOTS}/real-camera-verdict.png` });
      await q.waitForSelector('.verdict', { state: 'detached' });
      await q.waitForTimeout(2500); // the clip plays on, with gaps shorter than the pause that makes a code new
      if (process.env.SHOTS) await q.screenshot({ path: `${process.env.SHOTS}/real-camera.png` });
      assert.equal(scans, 1);
      await q.context().close();
    } finally {
      await filmed.close();
    }
  });
  await run.check('the gate\'s list has what was scanned', async () => {
    await p.reload(); // what this page has just seen itself is gone: the rest comes from the server
    await p.getByLabel('卡口', { exact: true }).selectOption('hospital-1');
    await eventually(async () => (await p.locator('.passages li').count()) >= 4, 'four passages at the hospital', 20_000);
    await accessible(p);
  });
  await p.context().close();
  await run.check('a resident\'s login opens neither the gate nor the office', async () => {
    const q = await shown.context().newPage();
    for (const path of ['/gate', '/office']) {
      await q.goto(server.url + path);
      await q.waitForSelector('input[type=password]');
    }
    await q.close();
  });
}

async function lists(run, browser, server, shown) {
  await run.check('the resident sees where the code was scanned', async () => {
    await shown.click('.tabs >> text=扫码记录');
    await eventually(async () => {
      if ((await shown.locator('.passages li').count()) >= 3) return true;
      await shown.reload();
      await shown.waitForTimeout(500);
      return false;
    }, 'three passages of mine', 20_000);
    assert.match(await shown.textContent('.passages'), /汕尾市 城区/);
    await shown.click('.tabs >> text=我的码');
  });
  await run.check('an official sees the hours and a gate\'s passages', async () => {
    const p = await page(browser, desk, run.faults);
    await staff(server, p, '/office', 'official');
    await p.waitForSelector('.total');
    await eventually(async () => {
      await p.click('text=刷新');
      return Number(await p.textContent('.total')) >= 9;
    }, 'nine passages', 20_000);
    await p.getByLabel('卡口', { exact: true }).last().selectOption('g15-haifeng');
    await p.waitForSelector('td >> text=居家隔离');
    await accessible(p);
    await p.context().close();
  });
  await run.check('an epidemiologist sees the hours but no single gate', async () => {
    const p = await page(browser, desk, run.faults);
    await staff(server, p, '/office', 'epi');
    await p.waitForSelector('.total');
    assert.equal(await p.locator('text=卡口最近通行').count(), 0);
    await p.context().close();
  });
  await run.check('gate staff may not use the office, and are told so', async () => {
    const p = await page(browser, desk, run.faults);
    await staff(server, p, '/office', 'gate');
    await p.waitForSelector('text=这个账号不能使用本页');
    await p.context().close();
  });
}

async function twoLogins(run, browser, server) {
  await run.check('in one browser a log-out ends its own login and leaves the other', async () => {
    const p = await page(browser, phone, run.faults);
    await resident(server, p, phones.green);
    await staff(server, p, '/gate', 'gate');
    await p.waitForSelector('#paste');
    await p.reload(); // from here on only the cookies know who is logged in
    await p.waitForSelector('#paste');
    await p.click('text=退出登录');
    await p.waitForSelector('input[type=password]');
    await p.reload();
    await p.waitForSelector('input[type=password]');
    await p.goto(`${server.url}/resident`);
    await p.waitForSelector('.frame-green');
    await p.context().close();
  });
}
