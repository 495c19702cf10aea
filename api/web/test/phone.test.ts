// What the phone shows of what it holds: which credential, until when, and when it draws new ones.
import { beforeEach, describe, expect, it } from 'vitest';
import { newChain } from '../src/code/chain';
import { backoff } from '../src/lib/backoff';
import type { CodeView } from '../src/lib/types';
import { askAgain, due, empty, hear, lent, pick, refreshTime, seen, slotAt, stored, usable, type Held, type Vault } from '../src/resident/vault';

const hour = 3_600_000;
const at = Date.parse('2022-08-11T04:00:00Z');
const chain = newChain(2);
const held = (over: Partial<Held> = {}): Held => ({ credential: 'KM1:', chain, colour: 'green', issued: at, expires: at + 24 * hour, ...over });
const vault = (...h: Held[]): Vault => ({ ...empty, held: h, drawn: at, refresh: at + 16 * hour });

describe('what is shown', () => {
  let v: Vault;
  beforeEach(() => { v = vault(held(), held(), held()); });
  const show = (now: number, next = false) => {
    const h = pick(v, now, next)!;
    seen(h, now);
    return v.held.indexOf(h);
  };
  it('stays the same during one show, also over a reload', () => {
    expect([0, 20_000, 59_000, 100_000].map((ms) => show(at + ms))).toEqual([0, 0, 0, 0]);
  });
  it('is another one at the next show, until all were seen; then the one that was seen longest ago', () => {
    expect([0, 1, 2, 3, 4].map((h) => show(at + h * hour))).toEqual([0, 1, 2, 0, 1]);
  });
  it('is another one when the person asks, and after five minutes', () => {
    expect([show(at), show(at + 1000, true), show(at + 2000)]).toEqual([0, 1, 1]);
    for (let ms = 0; ms <= 301_000; ms += 30_000) show(at + 2000 + ms);
    expect(show(at + 320_000)).toBe(2);
  });
  it('is the only one again where there is only one', () => {
    v = vault(held());
    expect([show(at), show(at + hour), show(at + hour + 1, true)]).toEqual([0, 0, 0]);
  });
  it('is nothing once all have expired, to the millisecond, and nothing before the issue', () => {
    expect(usable(v, at + 24 * hour - 1)).toHaveLength(3);
    expect(pick(v, at + 24 * hour)).toBeUndefined();
    expect(pick(v, at - 31_000)).toBeUndefined();
    expect(pick(empty, at)).toBeUndefined();
  });
  it('changes each 30 s', () => {
    expect([0, 29_999, 30_000, 86_399_999].map((ms) => slotAt(held(), at + ms).slot)).toEqual([0, 0, 1, 2879]);
    expect(slotAt(held(), at + 45_000).until).toBe(at + 60_000);
    expect(slotAt(held(), at - 10_000)).toEqual({ slot: 0, until: at + 30_000 });
  });
});

describe('what the server says', () => {
  const view = (over: Partial<CodeView> = {}) => ({ told: true, colour: 'green', code: 'KM1:SECRET', masked_name: '王*梅', ...over }) as CodeView;
  it('ends the showing of every other colour at once', () => {
    expect(hear(vault(held()), view({ colour: 'red' }), at).held).toEqual([]);
    expect(hear(vault(held(), held({ colour: 'red' })), view(), at).held).toHaveLength(1);
  });
  it('is kept without a code in it', () => expect(JSON.stringify(hear(empty, view(), at))).not.toContain('SECRET'));
});

describe('drawing', () => {
  it('is due with nothing to show, at the refresh time, and when all were shown three hours after the last', () => {
    expect(due(empty, at)).toBe(true);
    expect(due(vault(held()), at)).toBe(false);
    expect(due(vault(held()), at + 16 * hour)).toBe(true);
    const all = vault(held({ first: at, last: at }));
    expect([1, 4].map((h) => due(all, at + h * hour))).toEqual([false, true]);
  });
  it('is done for the person who asks, but not all the time', () => {
    expect([60_000, 16 * 60_000].map((ms) => due(vault(held()), at + ms, true))).toEqual([false, true]);
  });
  it('takes the server\'s time between 50 and 90 % of the life, or one of its own in there', () => {
    const life = { issued: 0, expires: 1000 };
    expect([500, 900].map((t) => refreshTime(t, life, 0.5))).toEqual([500, 900]);
    expect([499, 901, NaN].map((t) => refreshTime(t, life, 0.5))).toEqual([700, 700, 700]);
    for (const r of [0, 0.25, 0.999]) expect(refreshTime(NaN, life, r)).toBeGreaterThanOrEqual(500);
    expect(refreshTime(NaN, life, 0.999)).toBeLessThan(900);
  });
  it('keeps what it has where the answer holds nothing of its chains', () => {
    const v = vault(held());
    expect(stored(v, { told: true, credentials: [{ credential: 'KM1:XYZ' }, { credential: 'x' }] }, [chain], at, 0)).toBe(v);
  });
});

describe('the wait after a failure', () => {
  it('is anywhere up to a bound that doubles to a minute', () => {
    expect([1, 2, 3, 6, 30].map((n) => backoff(n, 0, 0.9999))).toEqual([2000, 4000, 7999, 59_994, 59_994]);
    expect(backoff(6, 0, 0)).toBe(300);
  });
  it('comes after the time that the server asked for', () => {
    expect(backoff(1, 120, 0.5)).toBe(121_000);
    expect(backoff(1, 120, 0)).toBeGreaterThan(120_000);
  });
});

describe('while the register does not answer', () => {
  const view = (over: Partial<CodeView> = {}) =>
    ({ told: true, colour: 'green', code: 'KM1:X', as_of: '2022-08-11T03:59:00Z', issued_at: '2022-08-11T04:00:00Z', expires_at: '2022-08-11T04:01:30Z', ...over }) as CodeView;
  it('a phone without a credential of its own shows the server\'s code', () =>
    expect(lent(empty, view(), at)).toEqual({ code: 'KM1:X', colour: 'green', issued: at, expires: at + 90_000 }));
  it('its own credential goes first, and nothing is lent with the register there or without a colour', () => {
    expect(lent(vault(held()), view(), at)).toBeUndefined();
    expect(lent(vault(held({ expires: at })), view(), at)).toBeDefined();
    for (const v of [view({ as_of: undefined }), view({ told: false }), view({ code: undefined }), view({ colour: undefined })]) expect(lent(empty, v, at)).toBeUndefined();
  });
  it('a lent code is replaced before it ends, and nobody hurries to draw', () => {
    const l = lent(empty, view(), at);
    expect([0, 1].map((r) => askAgain(hear(empty, view(), at), l, at, r))).toEqual([54_000, 72_000]);
    const old = { ...hear(vault(held()), view(), at), refresh: at - hour };
    expect([0, 1].map((r) => askAgain(old, undefined, at, r))).toEqual([240_000, 360_000]);
    expect(askAgain({ ...old, view: view({ as_of: undefined }) }, undefined, at, 0)).toBe(2000);
    expect(askAgain({ ...empty, view: view({ as_of: undefined }) }, undefined, at, 0)).toBe(240_000);
  });
});
