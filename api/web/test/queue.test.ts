// @vitest-environment node
// What a gate keeps is sealed: the server opens what the page seals and the other way round, and nobody opens what was changed.
// UPDATE=1 npx vitest run test/queue.test.ts makes the page's vectors anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fromBase64 } from '../src/code/bytes';
import { parseQueueKey } from '../src/gate/offline/queue';
import { seal } from '../src/gate/offline/seal';
import { Refused } from '../src/lib/refused';
import type { Item } from '../src/gate/offline/gate';
import { ours, theirs, unseal, type QueueVectors } from './unseal';

const event = '01828afb-d200-7abc-8def-0123456789ab';
const items: Record<string, { gate: string; bundle: number; item: Item }> = {
  'a pass': { gate: 'metro-1', bundle: 1660190400, item: { event, code: 'KM1:X', decision: 'pass', colour: 'green', reason: 'ok', direction: 'in', temperature: 36.6, flags: ['offline'] } },
  'a gate in Chinese, a bundle over 32 bits': { gate: '体育西路站-1', bundle: 2 ** 40 + 7, item: { event, code: 'x', decision: 'refer', reason: 'not_ours', flags: ['offline', 'stale'] } },
  'a long text': { gate: 'metro-1', bundle: 1, item: { event, code: '世'.repeat(1365), decision: 'refer', reason: 'not_ours', flags: ['offline'] } },
};

describe('a sealed passage', () => {
  const key = parseQueueKey(fromBase64(theirs.spki!));
  if (process.env.UPDATE) it('makes the vectors', async () => {
    const sealed = await Promise.all(Object.entries(items).map(async ([name, { gate, bundle, item }]) => {
      const { event: _, ...content } = item;
      return { name, sealed: await seal(key, gate, bundle, item), content };
    }));
    const v: QueueVectors = { about: 'Passages sealed by the gate\'s page (@hpke/core) to the key of queue.json.', sealed };
    writeFileSync(ours, `${JSON.stringify(v, null, 1)}\n`);
  });
  it.each(theirs.sealed.map((s) => [s.name, s] as const))('of the server: %s', async (_, { sealed, content }) => {
    if (content) expect(await unseal(sealed)).toEqual(content);
    else await expect(unseal(sealed)).rejects.toThrow();
  });
  it.each(Object.keys(items))('of the page opens: %s', async (name) => {
    const { gate, bundle, item } = items[name]!;
    const [a, b] = [await seal(key, gate, bundle, item), await seal(key, gate, bundle, item)];
    const { event: _, ...content } = item;
    expect(await unseal(a)).toEqual(content);
    expect(a).toMatchObject({ event, gate, bundle, key: theirs.sealed[0]!.sealed.key });
    expect(a.sealed.slice(0, 80)).not.toBe(b.sealed.slice(0, 80)); // an encapsulation of its own each
  });
  it('is as long whatever came of it', async () => {
    const lengths = new Set<number>();
    for (const colour of ['red', 'yellow', 'green', undefined] as const) {
      for (const n of [1, 200, 300]) lengths.add((await seal(key, 'g', 1, { event, code: 'A'.repeat(n), decision: colour ? 'pass' : 'refer', colour, reason: 'r', flags: ['offline'] })).sealed.length);
    }
    expect([...lengths]).toEqual([792]);
  });
  it('is not sealed to what is no key', () => {
    const spki = fromBase64(theirs.spki!);
    for (const bad of [spki.slice(1), spki.map((b, i) => (i === 3 ? b ^ 1 : b)), spki.map((b, i) => (i === 26 ? 3 : b)), new Uint8Array(0)]) expect(() => parseQueueKey(bad)).toThrow(Refused);
  });
  it('of the vectors is what this page makes', () => {
    const v = JSON.parse(readFileSync(join(ours), 'utf8')) as QueueVectors;
    expect(v.sealed.map((s) => s.name)).toEqual(Object.keys(items));
  });
});
