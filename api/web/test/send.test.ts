// What happens to a request: problems, lost answers, and one id for one event.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { actAs, call, Problem, setToken, Unreached, unsettled } from '../src/lib/api';
import { learn, now, skewSeconds } from '../src/lib/clock';
import { OneEvent } from '../src/lib/oneevent';
import { retry } from '../src/lib/retry';
import { submit } from '../src/lib/submit';
import { sentence, faultAt } from '../src/ui/Problems';

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers });

let sent: { path: string; init: RequestInit }[] = [];
let answers: (() => Response | Promise<Response>)[] = [];

beforeEach(() => {
  sent = [];
  answers = [];
  setToken('');
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    sent.push({ path, init });
    const next = answers.shift();
    return next ? Promise.resolve().then(next) : Promise.reject(new TypeError('no answer left'));
  });
});
afterEach(() => vi.unstubAllGlobals());

const refuse = () => { throw new TypeError('Failed to fetch'); };
const bodies = () => sent.map((s) => JSON.parse(String(s.init.body)) as Record<string, string>);

describe('call', () => {
  it('reads a problem document with every fault and the request id', async () => {
    answers = [() => answer(422, { type: 'about:blank', status: 422, code: 'id_checksum', detail: 'does not fit', instance: 'urn:uuid:abc', errors: [{ location: 'body.id_number', code: 'id_checksum', message: 'read it again' }] })];
    const err = await call('POST', '/v1/residents', {}).catch((e: unknown) => e);
    expect(err).toBeInstanceOf(Problem);
    expect(err).toMatchObject({ status: 422, code: 'id_checksum', request: 'abc' });
    expect(faultAt(err, 'id_number')).toBe('read it again');
    expect(faultAt(err, 'id')).toBe('');
    expect(sentence(err)).toBe('does not fit');
  });
  it('knows a page of a proxy by its status and never shows its text', async () => {
    answers = [() => answer(502, '<html>nginx</html>')];
    const err = await call('GET', '/v1/me').catch((e: unknown) => e);
    expect(err).toMatchObject({ status: 502, code: 'http_502' });
    expect(sentence(err)).not.toContain('nginx');
  });
  it('shows no inner detail of a failure on our side, but what to do when something cannot be decided now', () => {
    expect(sentence(new Problem(500, 'internal', 'pq: relation "person" does not exist'))).not.toContain('pq:');
    expect(sentence(new Problem(503, 'journal', 'keep the barrier shut'))).toBe('keep the barrier shut');
    expect(sentence(new Problem(429, 'too_many', 'too often', '', [], 60))).toMatch(/too often.*60/);
  });
  it('tells an answer that is not JSON from no answer', async () => {
    answers = [() => answer(200, 'hello'), refuse];
    expect(await call('GET', '/v1/me').catch((e: unknown) => e)).toMatchObject({ why: 'answer' });
    expect(await call('GET', '/v1/me').catch((e: unknown) => e)).toMatchObject({ why: 'offline' });
  });
  it('takes an empty answer as nothing', async () => {
    answers = [() => new Response(null, { status: 204 })];
    expect(await call('DELETE', '/v1/sessions/current')).toBeUndefined();
  });
  it('gives up waiting', async () => {
    vi.useFakeTimers();
    vi.stubGlobal('fetch', (_: string, init: RequestInit) => new Promise((_, fail) => init.signal!.addEventListener('abort', () => fail(new DOMException('', 'AbortError')))));
    const failed = call('GET', '/v1/me').catch((e: unknown) => e);
    await vi.advanceTimersByTimeAsync(11_000);
    expect(await failed).toMatchObject({ why: 'timeout' });
    vi.useRealTimers();
  });
  it('says which login it is for', async () => {
    answers = [() => answer(200, {})];
    actAs('staff');
    await call('GET', '/v1/gates');
    expect((sent[0]!.init.headers as Record<string, string>)['Kangma-As']).toBe('staff');
  });
  it('sends the token only once there is one', async () => {
    answers = [() => answer(200, {}), () => answer(200, {})];
    await call('GET', '/v1/me');
    setToken('t');
    await call('GET', '/v1/me');
    expect(sent.map((s) => (s.init.headers as Record<string, string>).Authorization)).toEqual([undefined, 'Bearer t']);
  });
});

describe('a write', () => {
  it('is sent again under the same event id while nothing is known of it', async () => {
    answers = [refuse, () => answer(503, { code: 'journal', detail: 'shut' }), () => answer(200, { decision: 'pass' })];
    expect(await submit(new OneEvent(), '/v1/scans', { code: 'X', gate: 'g' }, 'event', [0, 0])).toEqual({ decision: 'pass' });
    expect(new Set(bodies().map((b) => b.event)).size).toBe(1);
    expect(sent).toHaveLength(3);
  });
  it('is not sent again when the server has refused it', async () => {
    answers = [() => answer(403, { code: 'scope', detail: 'not your gate' })];
    await expect(submit(new OneEvent(), '/v1/scans', { code: 'X' }, 'event', [0, 0])).rejects.toMatchObject({ code: 'scope' });
    expect(sent).toHaveLength(1);
  });
  it('keeps its id when the same is sent by hand again, and gets another when it was changed', async () => {
    const event = new OneEvent();
    answers = [refuse, () => answer(202, {}), () => answer(202, {})];
    await submit(event, '/v1/me/declarations', { symptoms: [] }, 'id', []).catch(() => {});
    await submit(event, '/v1/me/declarations', { symptoms: [] }, 'id', []);
    await submit(event, '/v1/me/declarations', { symptoms: ['fever'] }, 'id', []);
    const ids = bodies().map((b) => b.id);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[1]);
  });
});

describe('retry', () => {
  it('waits between the tries and then gives the last failure', async () => {
    const waits: number[] = [];
    const tries = vi.fn(() => Promise.reject(new Unreached('offline')));
    await expect(retry(tries, unsettled, [1, 2], (ms) => { waits.push(ms); return Promise.resolve(); })).rejects.toMatchObject({ why: 'offline' });
    expect(tries).toHaveBeenCalledTimes(3);
    expect(waits).toEqual([1, 2]);
  });
  it.each([[429, true], [502, true], [503, true], [500, false], [409, false], [401, false]])('for status %i says %s', (status, again) => {
    expect(unsettled(new Problem(status, 'x', ''))).toBe(again);
  });
});

describe('the clock', () => {
  it('follows the server when the device is wrong, and ignores what is only rounding', () => {
    const at = Date.parse('2022-07-10T03:00:00Z');
    learn('Sun, 10 Jul 2022 03:05:00 GMT', at);
    expect(skewSeconds()).toBe(-300);
    expect(now() - Date.now()).toBeGreaterThan(299_000);
    learn('Sun, 10 Jul 2022 03:00:00 GMT', at + 900);
    expect(skewSeconds()).toBe(0);
    learn('nonsense', at);
    expect(skewSeconds()).toBe(0);
  });
});
