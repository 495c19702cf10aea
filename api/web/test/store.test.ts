// @vitest-environment node
// What a thief of a gate's device finds on it: every store of the browser is searched for codes, names and numbers.
import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

vi.hoisted(() => { if (!('navigator' in globalThis)) Object.assign(globalThis, { navigator: { language: 'en' } }); }); // Node 20 has none
import { decode45 } from '../src/code/base45';
import { fromBase64, hex } from '../src/code/bytes';
import { decodeClaims } from '../src/code/claims';
import { cut } from '../src/code/envelope';
import { all, get, write, type Store } from '../src/lib/db';
import { uuidv7 } from '../src/lib/uuidv7';
import { leaveGate, waiting } from '../src/gate/offline/keep';
import { Post, type PostState } from '../src/gate/offline/post';
import type { Sealed } from '../src/gate/offline/queue';
import { unseal } from './unseal';

interface Case { name: string; steps: { bundle?: number; at: number; code?: string; verdict?: { masked_name?: string; id_tail?: string; told: boolean } }[] }
const v = JSON.parse(readFileSync(join(import.meta.dirname, '../../../testdata/gate/vectors.json'), 'utf8')) as
  { pins: string[]; bundles: string[]; cases: Case[]; mutants: { bundle: number; at: number; bases: string[] } };
const at = v.mutants.at;
const [credential, dynamic] = v.mutants.bases as [string, string];
const named = v.cases.flatMap((c) => c.steps).find((s) => s.verdict?.masked_name && s.verdict.id_tail && s.verdict.told)!;

// kept gives all that the browser holds, as text: JSON, and every byte string also as Latin-1, hexadecimal and Base64.
async function kept(): Promise<string> {
  const texts: string[] = [];
  const walk = (x: unknown): void => {
    if (x instanceof Uint8Array || x instanceof ArrayBuffer) {
      const b = Buffer.from(x as Uint8Array);
      texts.push(b.toString('latin1'), b.toString('utf8'), b.toString('hex'), b.toString('base64'));
    } else if (x && typeof x === 'object') {
      Object.entries(x).forEach(([k, y]) => { texts.push(k); walk(y); });
    } else texts.push(String(x));
  };
  for (const s of ['phone', 'gate', 'queue', 'marks'] as Store[]) walk(await all(s));
  texts.push([...session.entries()].join());
  return texts.join('\n');
}

// traces gives what a shown code could be known by: its text, parts of it, its bytes, its id, its proof, the name and the tail.
function traces(text: string): string[] {
  const e = cut(text);
  if (typeof e === 'string') return [text];
  const bytes = decode45(text.slice(4))!;
  const c = decodeClaims(e.payload)!;
  const forms = [e.payload, e.sig, ...(e.proof ? [e.proof.subarray(2)] : []), bytes].flatMap((b) => [Buffer.from(b).toString('base64').slice(0, -4), hex(b), Buffer.from(b).toString('latin1')]);
  return [text, text.slice(4, 24), text.slice(-20), c.id, ...forms, ...(c.maskedName ? [c.maskedName] : []), ...(c.idTail ? [`\n${c.idTail}\n`] : [])];
}

let post: Post;
let state: PostState;
let up = true;
let sent: Sealed[] = [];
const session = new Map<string, string>();

async function open(offline: boolean): Promise<void> {
  post?.close();
  post = new Post('metro-1', (s) => { state = s; }, () => {});
  await post.start(offline);
}

function serve(path: string, init: RequestInit): Promise<Response> {
  if (!up) return Promise.reject(new TypeError('Failed to fetch'));
  if (path.endsWith('/bundle')) return Promise.resolve(new Response(fromBase64(v.bundles[v.mutants.bundle - 1]!), { headers: { 'Kangma-List-Key': v.pins[0]! } }));
  const { passages } = JSON.parse(String(init.body)) as { passages: Sealed[] };
  sent.push(...passages);
  return Promise.resolve(new Response('{"code":"unauthorized"}', { status: 401 })); // the device was revoked
}

beforeEach(async () => {
  vi.useFakeTimers({ now: at, toFake: ['Date', 'setTimeout', 'clearTimeout'] });
  vi.stubGlobal('fetch', serve);
  vi.stubGlobal('sessionStorage', { getItem: (k: string) => session.get(k) ?? null, setItem: (k: string, s: string) => session.set(k, s), removeItem: (k: string) => session.delete(k) });
  [up, sent] = [true, []];
  session.clear();
  for (const s of ['gate', 'queue', 'marks'] as Store[]) for (const w of await all<{ item?: Sealed }>(s)) if (w.item) await write({ store: s, key: w.item.event, value: undefined });
});
afterEach(() => {
  post.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('the store of a gate\'s device', () => {
  const codes = [credential, dynamic, named.code!, 'https://example.org/pay?name=张三&id=440106199001010016', credential.slice(0, -3)];
  it('can be searched: what was put there in plain is found', async () => {
    await open(false);
    const event = uuidv7(at);
    await write({ store: 'queue', key: event, value: { gate: 'metro-1', refused: 'old', item: { event, code: credential, decision: 'pass', reason: 'ok', flags: [] } } });
    const found = await kept();
    expect(traces(credential).filter((s) => found.includes(s)).length).toBeGreaterThan(2);
  });
  it('holds no code, name or number of anybody, in any form, with or without a network', async () => {
    await open(false);
    up = false;
    post.lost();
    for (const code of codes) await post.decide({ event: uuidv7(at), code, temperature: 366 });
    await open(true);
    expect(state.waiting).toBe(codes.length);
    const found = await kept();
    for (const code of codes) for (const s of traces(code)) expect(found.includes(s), `${s} is on the device`).toBe(false);
    for (const word of ['pass', 'green', 'refer', '36.6', '张三', '440106199001010016']) {
      expect(JSON.stringify(await waiting()).includes(`"${word}"`), word).toBe(false);
    }
    expect((await Promise.all((await waiting()).map((w) => unseal(w.item as Sealed)))).map((x) => x.code).sort()).toEqual([...codes].sort());
  });
  it('seals what an older page has left in plain as soon as there is a list', async () => {
    const event = uuidv7(at);
    const item = { event, code: credential, decision: 'pass', colour: 'green', reason: 'ok', flags: ['offline'] };
    await write({ store: 'queue', key: event, value: { gate: 'hospital-1', item } });
    await open(false);
    const found = await kept();
    for (const s of traces(credential)) expect(found.includes(s)).toBe(false);
    const [w] = await waiting();
    expect(w).toMatchObject({ gate: 'hospital-1', item: { event, gate: 'hospital-1' } });
    expect(await unseal(w!.item as Sealed)).toMatchObject({ code: credential, decision: 'pass' });
  });
  it('keeps its seals when the device is revoked', async () => {
    await open(false);
    up = false;
    post.lost();
    await post.decide({ event: uuidv7(at), code: credential });
    const before = await waiting();
    up = true;
    await post.reach();
    expect(sent).toHaveLength(1); // and answered by 401
    expect(await waiting()).toEqual(before);
    await leaveGate();
    expect(await waiting()).toEqual(before);
  });
  it('forgets the key of the marks with the session, and the marks when they are over', async () => {
    await open(false);
    up = false;
    post.lost();
    await post.decide({ event: uuidv7(at), code: credential });
    expect(await all('marks')).toHaveLength(1);
    const key = session.get('kangma.marks');
    await open(true);
    expect(session.get('kangma.marks')).toBe(key);
    expect((await post.decide({ event: uuidv7(at), code: credential })).cannot_tell).toBe('replayed');
    await leaveGate();
    expect([session.size, (await all('marks')).length]).toEqual([0, 0]);
    await open(true);
    expect(session.get('kangma.marks')).not.toBe(key);
    expect(await get('gate', 'bundle/metro-1')).toBeUndefined();
    up = true;
    await post.reach();
    up = false;
    post.lost();
    await post.decide({ event: uuidv7(at), code: credential });
    vi.setSystemTime(at + 46 * 60_000);
    await post.reach();
    expect(await all('marks')).toEqual([]);
  });
});
