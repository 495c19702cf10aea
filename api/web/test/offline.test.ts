// @vitest-environment node
// The gate without a network decides as `kangma gate scan --bundle` does: the server's own vectors, every verdict of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { encode45, decode45 } from '../src/code/base45';
import { fromBase64, hex } from '../src/code/bytes';
import { growChain, linkOf, newChain, stride } from '../src/code/chain';
import { answer, claimsOf, show } from '../src/code/phone';
import { Keyring } from '../src/code/keyring';
import { openBundle } from '../src/gate/offline/bundle';
import { decode } from '../src/gate/offline/cbor';
import { Refused } from '../src/gate/offline/document';
import { OfflineGate, type Ages } from '../src/gate/offline/gate';
import { leastTravel, Shown } from '../src/gate/offline/shown';
import { unpackSorted } from '../src/gate/offline/statuslist';

interface Step {
  at: number; bundle?: number; refused?: string; event?: string; code?: string; direction?: 'in' | 'out'; temperature?: number; challenge?: number;
  verdict?: Record<string, unknown>; item?: Record<string, unknown>; ages?: { bundle: number; trust_list: number; status_list: number; amber: boolean };
}
interface Vectors {
  pins: string[]; bundles: string[]; cases: { name: string; steps: Step[] }[];
  mutants: { bundle: number; at: number; seed: number; bases: string[]; told: string };
}

const root = join(import.meta.dirname, '../../../testdata');
const v = JSON.parse(readFileSync(join(root, 'gate/vectors.json'), 'utf8')) as Vectors;
const pins = v.pins.map(fromBase64);
const raw = (n: number) => fromBase64(v.bundles[n - 1]!);

async function takeBundle(n: number, at: number, before?: OfflineGate): Promise<OfflineGate> {
  return OfflineGate.of(await openBundle(raw(n), pins, at), before?.state);
}

// Go leaves a fraction of no milliseconds out.
const sameTime = (x: Record<string, unknown>) => ({ ...x, at: Date.parse(String(x.at)) });
const nano = (a: Ages) => ({ bundle: a.bundle * 1e6, trust_list: a.trust * 1e6, status_list: a.status < 0 ? -1 : a.status * 1e6, amber: a.amber });

describe('a gate without a network', () => {
  it.each(v.cases.map((c) => [c.name, c.steps] as const))('%s', async (_, steps) => {
    let gate: OfflineGate | undefined;
    for (const s of steps) {
      try {
        if (s.bundle) {
          gate = await takeBundle(s.bundle, s.at, gate);
        } else {
          const got = await gate!.scan({ event: s.event!, code: s.code ?? '', direction: s.direction, temperature: s.temperature, challenge: s.challenge }, s.at);
          expect(sameTime(got.verdict as unknown as Record<string, unknown>)).toEqual(sameTime(s.verdict!));
          expect(got.item).toEqual({ event: s.event, code: s.code ?? '', ...s.item });
          expect(nano(gate!.ages(s.at))).toEqual(s.ages);
        }
        expect(s.refused).toBeUndefined();
      } catch (err) {
        if (!(err instanceof Refused)) throw err;
        expect(err.code).toBe(s.refused);
      }
    }
  });

  it('tells mutants of good codes apart as the server does', async () => {
    const tells = ['', 'expired', 'not_yet_valid', 'unknown_key', 'forged', 'malformed', 'not_ours', 'specimen', 'replayed', 'revoked', 'check_online'];
    const gate = await takeBundle(v.mutants.bundle, v.mutants.at);
    const next = mutants(v.mutants.bases, v.mutants.seed);
    let told = '';
    for (let i = 0; i < v.mutants.told.length; i++) {
      const { verdict } = await gate.scan({ event: String(i), code: next() }, v.mutants.at);
      told += String.fromCharCode(97 + tells.indexOf(verdict.cannot_tell ?? ''));
    }
    expect(told).toBe(v.mutants.told);
  });
});

// mutants makes what the server's test makes: a xorshift generator (G. Marsaglia, 2003) and four ways to spoil a text.
function mutants(bases: string[], seed: number): () => string {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
  let x = seed;
  const below = (n: number) => {
    x = (x ^ (x << 13)) >>> 0;
    x = (x ^ (x >>> 17)) >>> 0;
    x = (x ^ (x << 5)) >>> 0;
    return x % n;
  };
  return () => {
    const s = bases[below(bases.length)]!;
    const at = below(s.length - 1);
    switch (below(4)) {
      case 0: return s.slice(0, at) + s.slice(at + 1);
      case 1: return s.slice(0, at) + s[at + 1]! + s[at]! + s.slice(at + 2);
      case 2: return s.slice(0, at);
    }
    return s.slice(0, at) + alphabet[below(45)]! + s.slice(at + 1);
  };
}

describe('the vectors of the code format', () => {
  interface Vector { name: string; text: string; at: number; verdict: string; claims?: Record<string, unknown> }
  const format = JSON.parse(readFileSync(join(root, 'codes/vectors.json'), 'utf8')) as
    { public_x: string; public_y: string; key_region: string; key_from: number; key_until: number; codes: Vector[] };
  const point = fromHex('3059301306072a8648ce3d020106082a8648ce3d030107034200' + '04' + format.public_x + format.public_y);
  const ring = Keyring.of([{ spki: point, region: Number(format.key_region) * 1000, from: format.key_from, until: format.key_until, state: 2 }]);
  it.each(format.codes.map((c) => [c.name, c] as const))('%s', async (_, c) => {
    const got = await (await ring).verify(c.text, c.at * 1000);
    expect(got.tell).toBe(c.verdict);
    if (!c.claims || !got.claims) return;
    const time = (s: number | undefined) => (s === undefined ? undefined : new Date(s * 1000).toISOString().replace('.000Z', 'Z'));
    expect({
      issued: time(got.claims.issued), expires: time(got.claims.expires), kind: got.claims.kind, colour: got.claims.colour,
      latest_negative: time(got.claims.latestNegative), masked_name: got.claims.maskedName || undefined, id_tail: got.claims.idTail || undefined, id: got.claims.id,
      challenge: got.claims.challenge,
    }).toEqual({
      issued: c.claims.issued, expires: c.claims.expires, kind: c.claims.kind, colour: c.claims.colour ?? 'red', // of paper, which has none
      latest_negative: c.claims.latest_negative, masked_name: c.claims.masked_name, id_tail: c.claims.id_tail, id: c.claims.id,
      challenge: c.claims.challenge,
    });
  });
});

function fromHex(s: string) {
  return Uint8Array.from(s.match(/../g)!, (h) => parseInt(h, 16));
}

describe('a chain of the phone', () => {
  it.each([1, 2, stride, stride + 1, 2 * stride, 2880])('of %i slots gives links that hash to its anchor, each by way of the next', (n) => {
    const c = newChain(n);
    for (const slot of [0, 1, stride - 1, stride, stride + 1, n - 2, n - 1].filter((s) => s >= 0 && s < n)) {
      const link = linkOf(c, slot);
      expect(hex(link)).toHaveLength(24);
      expect(hex(linkOf({ ...c, marks: [] }, slot))).toBe(hex(link)); // the marks only save work
    }
    expect(() => linkOf(c, n)).toThrow(RangeError);
  });
  it('may be made in pieces', async () => {
    let pauses = 0;
    const from = vi.spyOn(performance, 'now').mockImplementation(() => 100 * pauses + 13 * from.mock.calls.length);
    const c = await growChain(1000, () => Promise.resolve(pauses++));
    from.mockRestore();
    expect(pauses).toBeGreaterThan(5);
    expect(hex(linkOf({ ...c, marks: [] }, 500))).toBe(hex(linkOf(c, 500)));
    expect(c.marks).toHaveLength(Math.ceil(1000 / stride));
  });
  it('shows what the gate of the vectors accepts: the same text for the same secret', () => {
    const text = readFileSync(join(root, 'codes/vectors.json'), 'utf8');
    const shown = (JSON.parse(text) as { codes: { text: string; chain_seed?: string; nonce?: string; anchor?: string; claims?: { slot: number; shown: boolean } }[] }).codes
      .find((c) => c.chain_seed && c.claims?.shown)!;
    const seed = fromHex(shown.chain_seed!);
    const nonce = fromHex(shown.nonce!);
    const chain = newChain(2880, (size) => (size === 4 ? nonce : seed));
    const bare = 'KM1:' + encode45(decode45(shown.text.slice(4))!.slice(0, -15));
    const slots = claimsOf(bare, chain) ? 2880 : (Date.parse('2022-11-06T08:30:00Z') - Date.parse('2022-11-05T08:30:00Z')) / 30_000;
    expect(slots).toBe(2880);
    expect(hex(chain.anchor)).toBe(shown.anchor);
    expect(show(bare, chain, shown.claims!.slot)).toBe(shown.text);
  });
  it('answers with a number as the code format has it: the same text for the same secret', () => {
    interface Answered { text: string; chain_seed?: string; nonce: string; claims?: { slot: number; challenge?: number } }
    const all = (JSON.parse(readFileSync(join(root, 'codes/vectors.json'), 'utf8')) as { codes: Answered[] }).codes.filter((c) => c.chain_seed && c.claims?.challenge);
    expect(all).toHaveLength(3);
    for (const c of all) {
      const chain = newChain(2880, (size) => fromHex(size === 4 ? c.nonce : c.chain_seed!));
      const bare = 'KM1:' + encode45(decode45(c.text.slice(4))!.slice(0, -16));
      const { slot, challenge } = c.claims!;
      expect(answer(bare, chain, slot - 3, challenge!)).toBe(c.text);
      expect(() => answer(bare, chain, 2877, 47)).toThrow(RangeError);
      for (const n of [0, 9, 100, 10.5, NaN]) expect(() => answer(bare, chain, 0, n)).toThrow();
    }
  });
  it('is refused for the credential of another', () => {
    expect(claimsOf(v.mutants.bases[1]!, newChain(4))).toBeUndefined();
    expect(claimsOf('x', newChain(4))).toBeUndefined();
  });
});

describe('what a gate saw lately', () => {
  const at = 1_660_000_000_000;
  const here = { event: 'a', gate: 'g', place: 441502000, at };
  it('is flagged at another gate sooner than anybody travels', () => {
    const s = new Shown();
    expect(s.note('x', undefined, here).flags).toEqual([]);
    expect(s.note('x', undefined, { ...here, gate: 'h', place: 440106000, at: at + 60_000 }).flags).toEqual(['travel']);
    expect(s.note('y', 3, here)).toMatchObject({ replayed: false, flags: [] });
    expect(s.note('y', 3, { ...here, event: 'b', at: at + 1000 })).toMatchObject({ replayed: true, flags: ['replay'] });
    expect(s.note('y', 3, { ...here, event: 'c', at: at + 10 * 60_000 })).toMatchObject({ replayed: false, flags: [] }); // long expired anyhow
  });
  it.each([[441502000, 441502001, 20], [441500000, 441502000, 20], [441502000, 441521000, 300], [441502000, 440106000, 1200], [441502000, 310000000, 2700], [0, 441502000, 0]])('from %i to %i takes %i s', (a, b, s) => {
    expect(leastTravel(a, b)).toBe(s * 1000);
  });
});

describe('the readers refuse what no writer makes', () => {
  it.each(['1800', '1900ff', '5f', '9f', 'bf', 'c0', 'f4', 'fb3ff0000000000000', '820', '8201', 'a2010101', 'a201010102', 'a16161', '1bffffffffffffffff', '7f', '62c328'])('CBOR %s', (h) => {
    expect(() => decode(fromHex(h.length % 2 ? h + '0' : h))).toThrow();
  });
  it('lists of values', () => {
    expect(unpackSorted(new Uint8Array(0), 0, 30)).toHaveLength(0);
    expect(unpackSorted(Uint8Array.of(0), 0, 30)).toBeUndefined(); // a byte too many
    expect(unpackSorted(Uint8Array.of(0xff), 1, 20)).toBeUndefined(); // no end
    expect(unpackSorted(new Uint8Array(3), 30, 20)).toBeUndefined(); // more than there can be
  });
});
