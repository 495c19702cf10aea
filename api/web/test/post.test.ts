// @vitest-environment node
// A gate's device between network and none: what it decides is on its disk first, and reaches the server at least once.
import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

vi.hoisted(() => { if (!('navigator' in globalThis)) Object.assign(globalThis, { navigator: { language: 'en' } }); }); // Node 20 has none, and the catalogue asks it
import { fromBase64 } from '../src/code/bytes';
import { uuidv7 } from '../src/lib/uuidv7';
import { clear, write } from '../src/lib/db';
import { keepGates, keptBundle, keptGates, keptState, leaveGate, waiting } from '../src/gate/offline/keep';
import { Post, type PostState } from '../src/gate/offline/post';
import type { Sealed } from '../src/gate/offline/queue';
import { unseal } from './unseal';

const v = JSON.parse(readFileSync(join(import.meta.dirname, '../../../testdata/gate/vectors.json'), 'utf8')) as
  { pins: string[]; bundles: string[]; mutants: { bundle: number; at: number; bases: string[] } };
const [credential, dynamic] = v.mutants.bases as [string, string];
const at = v.mutants.at;

let up = true;
let sent: { gate: string; passages: Sealed[] }[] = [];
let sync: (body: (typeof sent)[0]) => Response | undefined;
let post: Post;
let state: PostState;
let out = 0;

const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
const keepAll = (b: (typeof sent)[0]) => json(200, { kept: b.passages.length, results: b.passages.map((p) => ({ event: p.event, kept: true })) });

function serve(path: string, init: RequestInit): Promise<Response> {
  if (!up) return Promise.reject(new TypeError('Failed to fetch'));
  if (path.endsWith('/bundle')) return Promise.resolve(new Response(fromBase64(v.bundles[v.mutants.bundle - 1]!), { headers: { 'Kangma-List-Key': v.pins[0]! } }));
  const body = JSON.parse(String(init.body)) as (typeof sent)[0];
  sent.push(body);
  const answer = sync(body);
  return answer ? Promise.resolve(answer) : Promise.reject(new TypeError('the answer was lost'));
}

async function open(offline = false): Promise<Post> {
  post?.close();
  post = new Post('metro-1', (s) => { state = s; }, () => { out++; });
  await post.start(offline);
  return post;
}

const shot = (code: string) => ({ event: uuidv7(at), code });

beforeEach(async () => {
  vi.useFakeTimers({ now: at, toFake: ['Date', 'setTimeout', 'clearTimeout'] });
  vi.stubGlobal('fetch', serve);
  [up, sent, sync, out] = [true, [], keepAll, 0];
  await clear('gate');
  await clear('queue');
  await clear('marks');
});
afterEach(() => {
  post.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('a gate\'s device', () => {
  it('fetches its list, keeps it, and opens with it when there is no network', async () => {
    await open();
    expect(state).toMatchObject({ offline: false, list: Math.floor(at / 1000) * 1000 - 1000, stale: false, waiting: 0 });
    up = false;
    await open(true);
    expect(post.able).toBe(true);
    expect(state.offline).toBe(true);
    expect((await post.decide(shot(dynamic))).decision).toBe('pass');
  });

  it('has a passage on its disk before it says the verdict, over any number of reloads', async () => {
    await open();
    up = false;
    post.lost();
    const verdict = await post.decide(shot(credential));
    expect(verdict).toMatchObject({ decision: 'pass', flags: ['offline'] });
    expect((await waiting()).map((w) => [w.gate, w.item.event])).toEqual([['metro-1', verdict.event]]);
    expect(await unseal((await waiting())[0]!.item as Sealed)).toEqual({ code: credential, decision: 'pass', colour: 'green', reason: 'ok', flags: ['offline'] });
    await open(true);
    await open(true);
    expect(state.waiting).toBe(1);
    expect((await post.decide(shot(credential))).cannot_tell).toBe('replayed'); // a reload makes no proof good again
    expect((await keptState('metro-1')).seen).toBeGreaterThanOrEqual(at);
  });

  it('says no verdict where the passage cannot be kept', async () => {
    await open();
    up = false;
    post.lost();
    const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => { throw new DOMException('full', 'QuotaExceededError'); });
    await expect(post.decide(shot(dynamic))).rejects.toThrow('full');
    put.mockRestore();
    expect(await waiting()).toEqual([]);
  });

  it('sends what waits until the server has it: a lost answer is sent again under the same event', async () => {
    await open();
    up = false;
    post.lost();
    const event = (await post.decide(shot(dynamic))).event;
    [up, sync] = [true, () => undefined];
    await post.reach();
    expect(state).toMatchObject({ offline: true, waiting: 1 });
    sync = keepAll;
    await post.reach();
    expect(state).toMatchObject({ offline: false, waiting: 0, refused: 0 });
    expect(sent.map((s) => s.passages.map((p) => p.event))).toEqual([[event], [event]]);
    await post.reach();
    expect(sent).toHaveLength(2);
  });

  it('sets aside what is refused for good, says so, and waits with what is from the future', async () => {
    await open();
    up = false;
    post.lost();
    const [good, x, y] = [shot(dynamic), shot('x'), shot('y')];
    for (const s of [good, x, y]) await post.decide(s);
    [up, sync] = [true, (b) => json(200, { kept: 1, results: b.passages.map((p) => ({ event: p.event, kept: p.event === good.event, ...(p.event === x.event && { code: 'offline_old' }), ...(p.event === y.event && { code: 'offline_future' }) })) })];
    await post.reach();
    expect(state).toMatchObject({ waiting: 1, refused: 1 });
    sync = keepAll;
    await post.reach();
    expect(sent[1]!.passages.map((p) => p.event)).toEqual([y.event]);
    expect(state).toMatchObject({ waiting: 0, refused: 1 });
    expect((await waiting()).map((w) => [w.item.event, w.refused])).toEqual([[x.event, 'offline_old']]);
  });

  it('sends many in batches, and those of another gate under that gate', async () => {
    for (let i = 0; i < 250; i++) {
      const event = uuidv7(at + i);
      await write({ store: 'queue', key: event, value: { gate: i < 240 ? 'metro-1' : 'hospital-1', item: { event, sealed: `c${i}` } } });
    }
    sync = (b) => (b.gate === 'hospital-1' ? json(403, { code: 'scope' }) : keepAll(b));
    await open();
    expect(sent.map((s) => [s.gate, s.passages.length])).toEqual([['metro-1', 200], ['metro-1', 40], ['hospital-1', 10]]);
    expect(state).toMatchObject({ offline: false, waiting: 10 });
  });

  it('asks for a login when its session has ended, and loses nothing by it or by a log-out', async () => {
    await open();
    await keepGates([{ id: 'metro-1', name: { zh: '', en: '' }, kind: 'metro', district: '441502' }]);
    up = false;
    post.lost();
    await post.decide(shot(dynamic));
    [up, sync] = [true, () => json(401, { code: 'unauthorized' })];
    await post.reach();
    expect(out).toBe(1);
    const before = await keptState('metro-1');
    await leaveGate();
    expect(await keptGates()).toEqual([]);
    expect(await keptBundle('metro-1')).toBeUndefined();
    expect(await keptState('metro-1')).toEqual(before); // an older list is not taken after it either
    expect(await waiting()).toHaveLength(1);
  });

  it('takes a list of no other key than the one it came with, and of no other gate', async () => {
    await open();
    const kept = (await keptBundle('metro-1'))!;
    await write({ store: 'gate', key: 'bundle/metro-1', value: { ...kept, data: kept.data.map((b, i) => (i === 400 ? b ^ 1 : b)) } });
    up = false;
    await open(true);
    expect(post.able).toBe(false);
  });
});
