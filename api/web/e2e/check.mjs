// A tiny runner: named checks one after another, everything reported, a failing exit code.
import assert from 'node:assert/strict';

export { assert };

export class Run {
  failed = 0;
  done = 0;
  faults = [];

  async check(name, f) {
    this.faults.length = 0;
    try {
      await f();
      assert.deepEqual(this.faults, [], 'the page did what it must not');
      this.done++;
      console.log(`ok    ${name}`);
    } catch (err) {
      this.failed++;
      console.log(`FAIL  ${name}\n      ${String(err.stack ?? err).split('\n').slice(0, 12).join('\n      ')}`);
    }
  }
}

// eventually waits until f gives something true.
export async function eventually(f, what, patience = 10_000) {
  const end = Date.now() + patience;
  for (;;) {
    const v = await f();
    if (v) return v;
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((done) => setTimeout(done, 60));
  }
}
