// Every state of the pages that needs a sick or a rare server, with pretended answers.
import { readFileSync } from 'node:fs';
import { assert, eventually } from './check.mjs';
import { desk, page, phone } from './browser.mjs';
import { credentials } from './credential.mjs';
import { pretend, problem } from './pretend.mjs';

const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

// accessible runs axe over what is on the screen: WCAG 2 A and AA.
export async function accessible(p) {
  await p.evaluate(axe);
  const found = await p.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }));
  assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(' | ')}`), []);
}

// shot takes a picture of the state where SHOTS names a folder.
const shot = async (p, name) => { if (process.env.SHOTS) await p.screenshot({ path: `${process.env.SHOTS}/${name}.png` }); };
const narrow = { ...phone, viewport: { width: 360, height: 740 } };
const shownText = async (p) => { await p.waitForSelector('.code-text', { state: 'attached' }); return p.locator('.code-text').textContent(); };

const in_ = (ms) => new Date(Date.now() + ms).toISOString();
const text = (zh, en) => ({ zh, en });
const rules = { id: 'national-9th-2022', version: '2022-06-28', digest: 'x' };
const me = [200, { person: 'p', name: '王*梅', id_number: '4401**********1234', phone: '138****0001', home: '440103', registered_at: in_(-1e9) }];

export const code = (over = {}) => [200, {
  code: 'KM1:' + '6BFOXN TS3DH0YOJ58S-W5HDC*M0II5XHC9B5G2+$/.%'.repeat(6).slice(0, 231), told: true, colour: 'green', reason: 'ok', reasons: [], issued_at: in_(0),
  expires_at: in_(90_000), refresh_at: in_(45_000), masked_name: '王*梅', rules, ...over,
}];

export const reason = (colour) => ({
  rule: 'mid-area', colour, why: text('您7天内有中风险区旅居史', 'You were in a mid-risk area in the last 7 days'),
  guidance: text('请居家隔离7天，第1、4、7天核酸检测', 'Isolate at home for 7 days, tests on days 1, 4 and 7'),
  clears: text('离开中风险区满7天或隔离期满自动转绿', 'Turns green 7 days after leaving the area or when isolation ends'),
  since: in_(-2 * 864e5), until: in_(5 * 864e5), progress: { have: 1, need: 3, next: in_(864e5), what: text('次核酸检测', 'tests') },
});

export const verdict = (decision, colour, over = {}) => [200, {
  event: '0', at: in_(0), decision, told: colour !== undefined, colour, reason: 'r', why: text('原因', 'The reason'), guidance: text('怎么办', 'What to do'), masked_name: '王*梅', id_tail: '123X', ...over,
}];

const gates = [200, { gates: [{ id: 'metro-1', name: text('体育西路站 A 口', 'Tiyu Xilu Station, exit A'), kind: 'metro', district: '440106' }] }];

export async function states(run, browser) {
  const server = await pretend();
  try {
    await resident(run, browser, server);
    await gate(run, browser, server);
    await others(run, browser, server);
  } finally {
    await server.close();
  }
}

async function resident(run, browser, server) {
  const open = async (answers, options = phone) => {
    server.answers = { 'GET /v1/me': me, 'GET /v1/me/passages': [200, { passages: [] }], 'POST /v1/me/credentials': credentials(), ...answers };
    server.seen.length = 0;
    const p = await page(browser, options, run.faults);
    await p.goto(`${server.url}/resident`);
    return p;
  };
  for (const [colour, shape, word] of [['green', 'circle', '绿码'], ['yellow', 'triangle', '黄码'], ['red', 'octagon', '红码']]) {
    await run.check(`a ${colour} code is a word, a shape and a frame`, async () => {
      const p = await open({ 'GET /v1/me/code': code({ colour, reasons: colour === 'green' ? [] : [reason(colour)], next_change: in_(5 * 864e5) }), 'POST /v1/me/credentials': credentials(colour) }, narrow);
      await p.waitForSelector(`.frame-${colour}`);
      assert.equal(await p.textContent('.code-word'), word);
      assert.equal(await p.getAttribute('.code-head .shape', 'data-shape'), shape);
      const qr = await p.locator('.qr').boundingBox();
      assert.ok(qr.width >= 0.7 * 360, `the QR is ${qr.width} wide`);
      assert.ok(qr.y + qr.height <= 740, `the QR ends at ${qr.y + qr.height}`); // seen without scrolling
      await accessible(p);
      await shot(p, `resident-${colour}`);
      await p.context().close();
    });
  }
  await run.check('where nothing can be told there is a grey card, no QR and no colour', async () => {
    const p = await open({ 'GET /v1/me/code': code({ code: undefined, told: false, colour: undefined, cannot_tell: 'no_rules', reason: 'no_rules' }) });
    await p.waitForSelector('.frame-unknown');
    assert.equal(await p.locator('.qr').count(), 0);
    assert.equal(await p.textContent('.code-word'), '无法判定');
    assert.match(await p.textContent('main'), /没有生效的规则/);
    await accessible(p);
    await p.context().close();
  });
  for (const [locale, says, old] of [['zh-CN', /登记库暂时没有应答：这是按 8月11日 08:05 的资料/, /停在 8月11日 07:00，太旧/], ['en-GB', /does not answer right now. This is decided as of 11 August 08:05/, /knows is of 11 August 07:00: too old/]]) {
    await run.check(`what is decided from the server's copy says of what time it is (${locale})`, async () => {
      const p = await open({ 'GET /v1/me/code': code() }, { ...narrow, locale });
      await p.waitForSelector('.frame-green');
      assert.equal(await p.locator('.as-of').count(), 0);
      server.seen.length = 0;
      server.answers['GET /v1/me/code'] = code({ as_of: '2022-08-11T00:05:00Z' });
      await p.locator('.code-buttons button').last().click();
      await p.waitForSelector('.as-of');
      assert.match(await p.textContent('.as-of'), says);
      assert.equal(await p.locator('.qr').count(), 1);
      await accessible(p);
      await shot(p, `resident-as-of-${locale}`);
      server.answers['GET /v1/me/code'] = code({ code: undefined, told: false, colour: undefined, cannot_tell: 'stale_gate', reason: 'stale_gate', as_of: '2022-08-10T23:00:00Z' });
      await p.locator('.code-buttons button').last().click();
      await p.waitForSelector('.frame-unknown');
      assert.match(await p.textContent('.no-code'), old);
      assert.equal(await p.locator('.qr').count(), 0);
      assert.deepEqual(server.seen.filter((s) => s.key === 'POST /v1/me/credentials'), []); // none are drawn meanwhile
      server.answers['GET /v1/me/code'] = code();
      await p.locator('.code-buttons button').last().click();
      await p.waitForSelector('.frame-green');
      assert.equal(await p.locator('.as-of').count(), 0);
      await p.context().close();
    });
  }
  await run.check('the code changes by itself each 30 s, and the server hears of nonces and anchors only', async () => {
    const p = await open({ 'GET /v1/me/code': code(), 'POST /v1/me/credentials': credentials('green', 26) });
    const before = await shownText(p);
    await eventually(async () => (await shownText(p)) !== before, 'the next code');
    const drawn = server.seen.filter((s) => s.key === 'POST /v1/me/credentials');
    assert.equal(drawn.length, 1);
    assert.deepEqual(Object.keys(drawn[0].body), ['anchors']);
    assert.equal(drawn[0].body.anchors.length, 8);
    for (const a of drawn[0].body.anchors) assert.match(Object.entries(a).join(), /^nonce,[0-9a-f]{8},anchor,[0-9a-f]{24}$/);
    await p.context().close();
  });
  await run.check('another code is another credential, which nothing links to the one before', async () => {
    const p = await open({ 'GET /v1/me/code': code() });
    const before = await shownText(p);
    await p.click('text=换一个码');
    await eventually(async () => (await shownText(p)) !== before, 'another code');
    const after = await shownText(p);
    const other = [...after].filter((c, i) => c !== before[i]).length;
    assert.ok(other > 40, `only ${other} characters are others`); // id, nonce, anchor and link; the rest is the same for everybody
    await p.context().close();
  });
  await run.check('without a server the phone goes on, says so, and shows nothing as valid once it has expired', async () => {
    let up = true;
    const p = await open({ 'GET /v1/me/code': () => (up ? code() : 'gone'), 'POST /v1/me/credentials': credentials('green', 18, 1) }, narrow);
    await p.waitForSelector('.frame-green');
    up = false;
    await p.click('text=马上更新');
    await p.waitForSelector('.frame-green.frame-offline');
    assert.match(await p.textContent('.notice'), /现在没有网络.*照常可用/);
    await accessible(p);
    await shot(p, 'resident-offline');
    await p.waitForSelector('.frame-unknown', { timeout: 20_000 });
    assert.equal(await p.locator('.qr').count(), 0);
    assert.equal(await p.textContent('.code-word'), '已过期');
    assert.match(await p.textContent('.code-card'), /身份证件/);
    await accessible(p);
    await shot(p, 'resident-expired');
    up = true;
    server.answers['POST /v1/me/credentials'] = credentials();
    await p.click('text=马上更新');
    await p.waitForSelector('.frame-green:not(.frame-offline)');
    await p.context().close();
  });
  await run.check('a colour that changed ends the showing of the old one, also where no new codes are to be had', async () => {
    const p = await open({ 'GET /v1/me/code': code() });
    await p.waitForSelector('.frame-green');
    server.answers['GET /v1/me/code'] = code({ colour: 'red', reasons: [reason('red')] });
    server.answers['POST /v1/me/credentials'] = [429, problem(429, 'too_many', '太频繁'), { 'Retry-After': '600' }];
    await p.click('text=马上更新');
    await p.waitForSelector('.problem >> text=太频繁');
    assert.equal(await p.locator('.qr').count(), 0);
    const asked = server.seen.length;
    await p.waitForTimeout(4000); // longer than the first waits without a Retry-After
    assert.equal(server.seen.length, asked);
    server.answers['POST /v1/me/credentials'] = credentials('red');
    await p.click('.problem button');
    await p.waitForSelector('.frame-red');
    await p.context().close();
  });
  await run.check('a session that has ended leads to the login and forgets the credentials', async () => {
    const p = await open({ 'GET /v1/me/code': code() });
    await p.waitForSelector('.frame-green');
    server.answers['GET /v1/me'] = undefined;
    await p.reload();
    await p.waitForSelector('input[type=tel]');
    await eventually(() => p.evaluate(() => new Promise((done) => {
      indexedDB.open('kangma').onsuccess = (e) => { e.target.result.transaction('phone').objectStore('phone').count().onsuccess = (c) => done(c.target.result === 0); };
    })), 'an empty store');
    await p.context().close();
  });
  await run.check('a newer version of the page says so, takes over when told, and leaves nothing of the old one', async () => {
    const p = await open({ 'GET /v1/me/code': code() });
    const versions = () => p.evaluate(async () => [Boolean(navigator.serviceWorker.controller), ...await caches.keys()].join());
    const old = await eventually(async () => { const v = await versions(); return /^true,kangma-\w+$/.test(v) && v; }, 'the pages in the cache');
    server.edit = (path, body) => (path === '/sw.js' ? body.toString().replace(/version = '\w+'/, "version = 'next'") : body);
    try {
      await p.reload();
      await p.waitForSelector('.newer');
      await p.waitForSelector('.frame-green'); // the old one serves meanwhile
      await accessible(p);
      await p.click('.newer button');
      await eventually(async () => (await versions().catch(() => '')) === 'true,kangma-next', `the new version in place of ${old}`);
      await p.waitForSelector('.frame-green');
      assert.equal(await p.locator('.newer').count(), 0);
    } finally {
      server.edit = (_, body) => body;
    }
    await p.context().close();
  });
  await run.check('in the dark the page is dark and the code stays black on white', async () => {
    const p = await open({ 'GET /v1/me/code': code({ colour: 'yellow', reasons: [reason('yellow')] }), 'POST /v1/me/credentials': credentials('yellow') }, { ...narrow, colorScheme: 'dark' });
    await p.waitForSelector('.frame-yellow');
    assert.equal(await p.evaluate(() => getComputedStyle(document.querySelector('.code-body')).backgroundColor), 'rgb(255, 255, 255)');
    await accessible(p);
    await shot(p, 'resident-dark');
    await p.context().close();
  });
  await run.check('every fault of a registration stands at its field, in the page\'s language', async () => {
    const p = await open({
      'GET /v1/me': undefined,
      'POST /v1/residents': [422, problem(422, 'id_checksum', '校验位不符', [{ location: 'body.id_number', code: 'id_checksum', message: '校验位不符' }, { location: 'body.phone', code: 'phone', message: '手机号不对' }])],
    });
    await p.click('text=注册');
    await p.getByLabel('姓名').fill('王小梅');
    await p.getByLabel('证件号码').fill('440103199001011235');
    await p.getByLabel('手机号').fill('12345');
    await p.getByLabel(/^居住地/).selectOption({ label: '广东省' });
    await p.getByLabel('城市').selectOption({ label: '广州市' });
    await p.getByLabel('区县').selectOption({ label: '荔湾区' });
    await accessible(p);
    await p.click('button.wide');
    await p.waitForSelector('.fault >> text=校验位不符');
    assert.equal(await p.getByLabel('手机号').getAttribute('aria-invalid'), 'true');
    const sent = server.seen.find((s) => s.key === 'POST /v1/residents');
    assert.deepEqual(sent.body, { name: '王小梅', id_type: '10', id_number: '440103199001011235', phone: '12345', home: '440103' });
    assert.equal(sent.language, 'zh-CN');
    await p.context().close();
  });
  await run.check('the language changes everywhere at once and is remembered', async () => {
    const p = await open({ 'GET /v1/me/code': code({ colour: 'red', reasons: [reason('red')] }), 'POST /v1/me/credentials': credentials('red') });
    await p.waitForSelector('.frame-red');
    await p.click('text=English');
    assert.equal(await p.textContent('.code-word'), 'Red code');
    assert.match(await p.textContent('main'), /mid-risk area/);
    assert.equal(await p.getAttribute('html', 'lang'), 'en');
    await p.reload();
    await p.waitForSelector('text=Red code');
    if (process.env.SHOTS) await p.screenshot({ path: `${process.env.SHOTS}/resident-en.png`, fullPage: true });
    await p.context().close();
  });
  await run.check('large text fits a narrow phone', async () => {
    const p = await open({ 'GET /v1/me/code': code({ colour: 'yellow', reasons: [reason('yellow')] }), 'POST /v1/me/credentials': credentials('yellow') }, { ...phone, viewport: { width: 320, height: 640 } });
    await p.waitForSelector('.frame-yellow');
    await p.click('text=大字');
    await p.waitForFunction(() => getComputedStyle(document.documentElement).fontSize === '24px'); // it is drawn after the click
    assert.equal(await p.evaluate(() => document.documentElement.scrollWidth), 320);
    if (process.env.SHOTS) await p.screenshot({ path: `${process.env.SHOTS}/resident-large.png`, fullPage: true });
    await p.context().close();
  });
}

async function gate(run, browser, server) {
  const open = async (scan, options = phone) => {
    server.answers = { 'GET /v1/gates': gates, 'GET /v1/gates/metro-1/passages': [200, { passages: [] }], 'GET /v1/gates/metro-1/bundle': [503, problem(503, 'no_bundles', 'no')], 'POST /v1/scans': scan };
    server.seen.length = 0;
    const p = await page(browser, options, run.faults);
    await p.goto(`${server.url}/gate`);
    await p.waitForSelector('#paste');
    return p;
  };
  const paste = async (p, t = 'KM1:ABCDEFGH') => {
    await p.fill('#paste', t);
    await p.click('.ways button >> text=核验');
  };
  const scans = () => server.seen.filter((s) => s.key === 'POST /v1/scans').map((s) => s.body);
  for (const [name, answer, fill, word, decision] of [
    ['pass', verdict('pass', 'green'), 'green', '通行', '放行'],
    ['red turned back', verdict('turn-back', 'red'), 'red', '禁止', '劝返'],
    ['red to central isolation', verdict('central-isolate', 'red'), 'red', '禁止', '集中隔离'],
    ['yellow to home isolation', verdict('home-isolate', 'yellow'), 'yellow', '禁止', '居家隔离'],
    ['green without a test', verdict('refer', 'green'), 'yellow', '查验', '人工核验'],
    ['forged', verdict('refer', undefined, { cannot_tell: 'forged', masked_name: undefined, id_tail: undefined }), 'grey', '查验', '人工核验'],
  ]) {
    await run.check(`the verdict of ${name} fills the screen`, async () => {
      const p = await open(answer);
      await paste(p);
      await p.waitForSelector(`.fill-${fill}`);
      assert.equal(await p.textContent('#verdict-word'), word);
      assert.equal(await p.textContent('.verdict-decision'), decision);
      const box = await p.locator('.verdict').boundingBox();
      assert.deepEqual([box.width, box.height], [390, 844]);
      await accessible(p);
      if (process.env.SHOTS) await p.screenshot({ path: `${process.env.SHOTS}/gate-${name.replaceAll(' ', '-')}.png` });
      await p.context().close();
    });
  }
  await run.check('the word and the reason stay in view on a small phone with large text', async () => {
    const long = text('您7天内有中风险区旅居史', 'You were in a mid-risk area in the last 7 days');
    const p = await open(verdict('home-isolate', 'yellow', { why: long, guidance: text('请居家隔离7天，第1、4、7天核酸检测', 'Isolate at home for 7 days, tests on days 1, 4 and 7') }), { ...phone, viewport: { width: 320, height: 568 }, locale: 'en-GB' });
    await p.click('text=Larger');
    await p.fill('#paste', 'KM1:ABCDEFGH');
    await p.locator('button', { hasText: /^Check$/ }).click();
    await p.waitForSelector('.fill-yellow');
    for (const part of ['.verdict-top .shape', '#verdict-word', '.verdict-decision', '.verdict-why', '.verdict-next']) {
      const box = await p.locator(part).boundingBox();
      assert.ok(box.y >= 0 && box.y + box.height <= 568 && box.x >= 0 && box.x + box.width <= 320, `${part} is out of view: ${JSON.stringify(box)}`);
    }
    if (process.env.SHOTS) await p.screenshot({ path: `${process.env.SHOTS}/gate-small-large.png` });
    await p.context().close();
  });
  await run.check('after a pass the page is ready by itself, after anything else only when told', async () => {
    const p = await open(verdict('pass', 'green'));
    await paste(p);
    await p.waitForSelector('.fill-green');
    await p.waitForSelector('.verdict', { state: 'detached', timeout: 4000 });
    server.answers['POST /v1/scans'] = verdict('turn-back', 'red');
    await paste(p);
    await p.waitForSelector('.fill-red');
    await p.waitForTimeout(2500);
    assert.equal(await p.locator('.fill-red').count(), 1);
    await p.keyboard.press('Enter'); // the button for the next person has the focus
    await p.waitForSelector('.verdict', { state: 'detached' });
    await p.context().close();
  });
  await run.check('a lost answer is asked for again under the same event id', async () => {
    let n = 0;
    const p = await open(() => (++n < 3 ? 'gone' : verdict('pass', 'green')));
    await paste(p);
    await p.waitForSelector('.fill-green');
    const events = scans().map((b) => b.event);
    assert.equal(events.length, 3);
    assert.equal(new Set(events).size, 1);
    assert.match(events[0], /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    await p.context().close();
  });
  await run.check('what cannot be decided looks like a shut barrier, and trying again keeps the event id', async () => {
    const p = await open([503, problem(503, 'journal', '通行记录未能保存，请保持关闸并重试'), { 'Retry-After': '2' }]);
    await paste(p);
    await p.waitForSelector('.fill-shut', { timeout: 6000 });
    assert.equal(await p.textContent('#verdict-word'), '关闸');
    assert.match(await p.textContent('.verdict'), /通行记录未能保存/);
    await accessible(p);
    if (process.env.SHOTS) await p.screenshot({ path: `${process.env.SHOTS}/gate-shut.png` });
    server.answers['POST /v1/scans'] = verdict('pass', 'green');
    await p.click('text=重试这一次');
    await p.waitForSelector('.fill-green');
    assert.equal(new Set(scans().map((b) => b.event)).size, 1);
    await p.context().close();
  });
  await run.check('a refusal by the server is a shut barrier at once', async () => {
    const p = await open([403, problem(403, 'scope', '超出您的卡口或辖区范围')]);
    await paste(p);
    await p.waitForSelector('.fill-shut');
    assert.equal(scans().length, 1);
    await p.context().close();
  });
  await run.check('a hand scanner needs no click, also over a verdict that waits', async () => {
    const p = await open(verdict('turn-back', 'red'), desk);
    await p.evaluate(() => document.activeElement?.blur());
    await p.keyboard.type('KM1:HAND SCAN 1', { delay: 2 });
    await p.keyboard.press('Enter');
    await p.waitForSelector('.fill-red');
    server.answers['POST /v1/scans'] = verdict('pass', 'green');
    await p.keyboard.type('KM1:HAND SCAN 2', { delay: 2 });
    await p.keyboard.press('Enter');
    await p.waitForSelector('.fill-green');
    assert.deepEqual(scans().map((b) => b.code), ['KM1:HAND SCAN 1', 'KM1:HAND SCAN 2']);
    await p.context().close();
  });
  await run.check('a temperature and a direction go with the scan, the temperature with one only', async () => {
    const p = await open(verdict('pass', 'green'));
    await p.click('summary');
    await p.getByLabel('方向').selectOption('in');
    await p.getByLabel(/下一位的体温/).fill('37.6');
    await paste(p);
    await p.waitForSelector('.fill-green');
    await p.click('.verdict-next');
    await paste(p, 'KM1:SECONDONE');
    await eventually(() => scans().length === 2, 'the second scan');
    assert.deepEqual(scans().map(({ direction, temperature }) => ({ direction, temperature })), [{ direction: 'in', temperature: 37.6 }, { direction: 'in', temperature: undefined }]);
    await p.context().close();
  });
  await run.check('the ready page is accessible, and an account without rights is told so', async () => {
    const p = await open(verdict('pass', 'green'));
    await accessible(p);
    if (process.env.SHOTS) await p.screenshot({ path: `${process.env.SHOTS}/gate-ready.png`, fullPage: true });
    server.answers['GET /v1/gates'] = [403, problem(403, 'forbidden', 'no')];
    await p.reload();
    await p.waitForSelector('text=这个账号不能使用本页');
    await accessible(p);
    await p.context().close();
  });
}

async function others(run, browser, server) {
  for (const path of ['/', '/vehicle']) {
    await run.check(`${path} stands`, async () => {
      server.answers = {};
      const p = await page(browser, phone, run.faults);
      await p.goto(server.url + path);
      await p.waitForSelector('h1');
      await accessible(p);
      if (process.env.SHOTS) await p.screenshot({ path: `${process.env.SHOTS}/page-${path.slice(1) || 'home'}.png` });
      await p.context().close();
    });
  }
  await run.check('the office shows the hours, and says what is withheld', async () => {
    const hour = Math.floor(Date.now() / 36e5) * 36e5;
    const rows = [5, 12, 40, 33].map((count, i) => ({ keys: [new Date(hour - i * 36e5).toISOString()], count }));
    server.answers = {
      'GET /v1/gates': gates, 'GET /v1/gates/metro-1/passages': [200, { passages: [{ event: '1', at: in_(-6e4), gate: 'metro-1', district: '440106', told: true, colour: 'red', decision: 'turn-back', reason: 'high-area', temperature: 36.5 }] }],
      'GET /v1/analytics/passages-by-hour': [200, { since: in_(-864e5), until: in_(0), columns: ['hour'], rows, suppressed: 2, data_as_of: in_(0) }],
    };
    const p = await page(browser, desk, run.faults);
    await p.goto(`${server.url}/office`);
    await p.waitForSelector('.total');
    assert.equal(await p.textContent('.total'), '90');
    assert.match(await p.textContent('main'), /有 2 组少于 10 人次/);
    await p.waitForSelector('td >> text=劝返');
    await accessible(p);
    if (process.env.SHOTS) await p.screenshot({ path: `${process.env.SHOTS}/office.png`, fullPage: true });
    await p.context().close();
  });
}
