import { describe, expect, it } from 'vitest';
import { lookOf } from '../src/gate/look';
import { Repeat } from '../src/gate/repeat';
import { kept } from '../src/gate/settings';
import { Wedge } from '../src/gate/wedge';
import type { Colour, Decision, Gate, Verdict } from '../src/lib/types';

const verdict = (decision: Decision, colour?: Colour): Verdict => ({
  event: 'e', at: '', decision, told: colour !== undefined, colour, reason: 'r', why: { zh: '', en: '' }, guidance: { zh: '', en: '' },
});

describe('the look of a verdict', () => {
  it.each<[Decision, Colour | undefined, string, string, string]>([
    ['pass', 'green', 'green', 'verdict.go', 'circle'],
    ['pass', 'yellow', 'yellow', 'verdict.go', 'circle'],
    ['turn-back', 'red', 'red', 'verdict.stop', 'octagon'],
    ['central-isolate', 'red', 'red', 'verdict.stop', 'octagon'],
    ['home-isolate', 'yellow', 'yellow', 'verdict.stop', 'octagon'],
    ['turn-back', 'green', 'yellow', 'verdict.stop', 'octagon'],
    ['refer', 'green', 'yellow', 'verdict.check', 'triangle'],
    ['refer', 'red', 'red', 'verdict.check', 'triangle'],
    ['refer', undefined, 'grey', 'verdict.check', 'triangle'],
    ['pass', undefined, 'grey', 'verdict.check', 'triangle'],
  ])('%s with %s is filled %s and says %s', (decision, colour, fill, word, shape) => {
    expect(lookOf(verdict(decision, colour))).toMatchObject({ fill, word, shape });
  });
  it('goes on by itself only after a pass', () => {
    expect(lookOf(verdict('pass', 'green')).next).toBeGreaterThan(0);
    for (const d of ['refer', 'turn-back', 'home-isolate', 'central-isolate'] as Decision[]) expect(lookOf(verdict(d, 'red')).next).toBe(0);
  });
  it('is a check for a decision that this page does not know', () => {
    expect(lookOf(verdict('something-new' as Decision, 'green'))).toMatchObject({ fill: 'yellow', word: 'verdict.check' });
  });
});

describe('a code that stays in view', () => {
  it('is scanned once, however long it stays', () => {
    const r = new Repeat(3000);
    expect(r.fresh('A', 0)).toBe(true);
    for (let at = 100; at < 20_000; at += 100) expect(r.fresh('A', at)).toBe(false);
  });
  it('is scanned again after it was away', () => {
    const r = new Repeat(3000);
    r.fresh('A', 0);
    expect(r.fresh('A', 3000)).toBe(true);
  });
  it('does not hide another code', () => {
    const r = new Repeat(3000);
    r.fresh('A', 0);
    expect(r.fresh('B', 50)).toBe(true);
    expect(r.fresh('A', 100)).toBe(true);
  });
});

describe('a hand scanner', () => {
  const type = (w: Wedge, text: string, from = 0, step = 5) => { [...text].forEach((c, i) => w.key(c, from + i * step)); return from + text.length * step; };
  it('gives its burst at Enter, spaces and signs included', () => {
    const w = new Wedge();
    const at = type(w, 'KM1:AB C$%*+-./');
    expect(w.key('Enter', at)).toBe('KM1:AB C$%*+-./');
  });
  it('is not a person typing slowly', () => {
    const w = new Wedge();
    const at = type(w, 'KM1:ABCDEFGH', 0, 300);
    expect(w.key('Enter', at)).toBeUndefined();
  });
  it('is not an Enter alone, nor a short burst', () => {
    const w = new Wedge();
    expect(w.key('Enter', 0)).toBeUndefined();
    expect(w.key('Enter', type(w, 'ABC'))).toBeUndefined();
  });
  it('starts anew after its burst and after a pause', () => {
    const w = new Wedge();
    w.key('Enter', type(w, 'FIRSTCODE'));
    const at = type(w, 'SECONDCODE', 1000);
    expect(w.key('Enter', at)).toBe('SECONDCODE');
  });
  it('types capital letters with Shift held', () => {
    const w = new Wedge();
    w.key('Shift', 0);
    type(w, 'KM1:ABCD', 1);
    w.key('Shift', 42);
    expect(w.key('Enter', 45)).toBe('KM1:ABCD');
  });
});

describe('the settings of a gate', () => {
  const gates = [{ id: 'a' }, { id: 'b' }] as Gate[];
  it('are remembered', () => {
    localStorage.setItem('kangma.gate', JSON.stringify({ gate: 'b', direction: 'in', muted: true }));
    expect(kept(gates)).toEqual({ gate: 'b', direction: 'in', muted: true });
  });
  it.each(['{', 'null', '[]', '{"gate":"other","direction":"up","muted":1}'])('fall back to safe ones for %s', (text) => {
    localStorage.setItem('kangma.gate', text);
    expect(kept(gates)).toEqual({ gate: 'a', direction: '', muted: false });
  });
});
