// A post that asks for a number (policy challenge): the gate's page shows one, the resident types it under the code, and only a code
// that carries it lets the person through. On the real server.
import { desk, open, page, phone } from './browser.mjs';
import { assert, eventually } from './check.mjs';
import { codeText, freshText, phones, resident, staff } from './server.mjs';
import { accessible } from './states.mjs';

const asking = 'port-1';

export async function challenge(run, server) {
  const browser = await open();
  const g = await page(browser, desk, run.faults);
  const r = await page(browser, phone, run.faults);
  const number = async () => Number(await g.locator('[data-challenge]').getAttribute('data-challenge'));
  const scan = async (code) => {
    await g.fill('#paste', code);
    await g.click('.ways button >> text=核验');
    await g.waitForSelector('.verdict');
    return { decision: await g.textContent('.verdict-decision'), why: await g.textContent('.verdict-why') };
  };
  const next = async () => {
    await g.locator('.verdict-next').first().click().catch(() => {}); // a green one goes by itself
    await g.waitForSelector('.verdict', { state: 'detached' });
  };
  const type = async (n) => {
    if (!(await r.locator('details.answer[open]').count())) await r.click('details.answer summary');
    await r.getByLabel('输入卡口屏幕上的数字').fill(String(n));
    await r.waitForSelector(`[data-carries="${n}"]`);
  };
  try {
    await run.check('a post that asks shows a number of two digits, another one on demand, and other gates show none', async () => {
      await staff(server, g, '/gate', 'gate');
      await g.waitForSelector('#paste');
      await g.getByLabel('卡口', { exact: true }).selectOption('metro-1');
      assert.equal(await g.locator('[data-challenge]').count(), 0);
      await g.getByLabel('卡口', { exact: true }).selectOption(asking);
      await g.waitForSelector('[data-challenge]');
      const seen = new Set();
      await eventually(async () => {
        const n = await number();
        assert.ok(n >= 10 && n <= 99, `the number ${n}`);
        seen.add(n);
        await g.click('text=换一个数字');
        return seen.size >= 3;
      }, 'three numbers');
      await accessible(g);
    });
    await run.check('a code without the number does not pass, and the number stays for another try', async () => {
      await resident(server, r, phones.green);
      const asked = await number();
      const v = await scan(await freshText(r));
      assert.notEqual(v.decision, '放行');
      assert.equal(Number(await g.locator('.verdict .challenge-number').textContent()), asked);
      await accessible(g);
      await next();
      assert.equal(await number(), asked);
    });
    await run.check('a code with a wrong number does not pass, and there is a new number', async () => {
      const asked = await number();
      await type(asked === 99 ? 10 : asked + 1);
      await accessible(r);
      const v = await scan(await codeText(r));
      assert.notEqual(v.decision, '放行');
      await next();
    });
    await run.check('the number typed under the code lets the person pass; then the code is as before and a new number stands', async () => {
      await r.click('details.answer button, .answer button');
      await r.waitForSelector('details.answer');
      const asked = await number();
      const plain = await codeText(r);
      await type(asked);
      const carrying = await codeText(r);
      assert.notEqual(carrying, plain);
      const v = await scan(carrying);
      assert.equal(v.decision, '放行', v.why);
      await next();
      await r.click('.answer button');
      await r.waitForSelector('details.answer');
    });
    await run.check('letters, one digit and numbers that no gate shows are not taken', async () => {
      await r.click('details.answer summary');
      for (const typed of ['5', '05', 'ab', '1a']) {
        await r.getByLabel('输入卡口屏幕上的数字').fill(typed);
        assert.equal(await r.locator('[data-carries]').count(), 0, typed);
      }
    });
  } finally {
    await browser.close();
  }
}
