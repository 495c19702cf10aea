// The real server: a demo town in a temporary folder on a free port.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './check.mjs';

export class Server {
  out = '';

  static async start(bin, flags = []) {
    const s = new Server();
    s.bin = bin;
    s.flags = flags;
    s.data = await mkdtemp(join(tmpdir(), 'kangma-e2e-'));
    await s.run('127.0.0.1:0');
    return s;
  }

  async run(listen) {
    this.process = spawn(this.bin, ['serve', '--demo', '--data', this.data, '--listen', listen, ...this.flags], { stdio: ['ignore', 'pipe', 'pipe'] });
    const from = this.out.length;
    this.process.stdout.on('data', (b) => { this.out += b; });
    this.process.stderr.on('data', (b) => { this.out += b; });
    this.ended = new Promise((done) => this.process.on('close', done));
    try {
      await eventually(() => {
        if (this.process.exitCode !== null) throw new Error(`the server ended:\n${this.out}`);
        return (this.url = /listening on (http:\/\/[^ ]+)/.exec(this.out.slice(from))?.[1]);
      }, 'the server\'s address', 120_000);
    } catch (err) {
      await this.close();
      throw err;
    }
  }

  // again starts the server anew, on the data and at the address that it had.
  again() {
    return this.run(new URL(this.url).host);
  }

  // otp waits for the next one-time password that f makes the server print.
  async otp(f) {
    const from = this.out.length;
    await f();
    return eventually(() => /one-time password for [^:]+: (\d{6})/.exec(this.out.slice(from))?.[1], 'a one-time password');
  }

  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGTERM');
    await Promise.race([this.ended, new Promise((done) => setTimeout(done, 8000))]);
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGKILL');
    await this.ended;
  }

  async close() {
    if (this.process) await this.stop();
    await rm(this.data, { recursive: true, force: true });
  }
}

// demo accounts as the server prints them.
export const password = (name) => `${name}-demo-2022`;
export const phones = { green: '13800000001', yellow: '13800000002', red: '13800000003' };

// resident logs a resident in and waits for the code.
export async function resident(server, p, number) {
  await p.goto(`${server.url}/resident`);
  await p.locator('input[type=tel]').fill(number);
  const code = await server.otp(() => p.locator('button.wide').click());
  await p.locator('input[autocomplete=one-time-code]').fill(code);
  await p.locator('button.wide').click();
  await p.waitForSelector('.code-card');
}

export async function staff(server, p, path, name) {
  await p.goto(server.url + path);
  await p.locator('input[autocomplete=username]').fill(name);
  await p.locator('input[type=password]').fill(password(name));
  await p.locator('button.wide').click();
}

// codeText reads the text of the shown code, which is in the page also while it is folded away.
export const codeText = (p) => p.locator('.code-text').textContent();

// freshText gives a code that no gate has seen: a holder's proof counts once.
export async function freshText(p) {
  const before = await codeText(p);
  await p.locator('.code-buttons button').first().click();
  return eventually(async () => { const text = await codeText(p); return text !== before && text; }, 'another code');
}
