// A gate's policy as its bundle has it, and the decision by it: checkpoint.Decide for a gate without a network.
import { parseDivision, rank } from '../../code/division';
import type { Claims, Colour } from '../../code/claims';
import type { Text } from '../../i18n';
import type { Decision } from '../../lib/types';
import { coloured, fever, needsNetwork, noTest, untold } from './texts';
import type { Tell } from '../../code/keyring';

export interface Policy {
  red: Decision;
  yellow: Decision;
  green: Decision;
  test_hours?: number;
  offline_hours?: number;
  challenge?: boolean; // the gate shows a number that the code must carry
  fever: number;
  vaccine?: { doses: number; days?: number };
  trip?: { days: number; divisions: string[]; decision?: Decision };
  leaving?: { red: Decision; yellow: Decision; green: Decision };
}

export interface BundleGate { id: string; name: Text; kind: string; district: string; policy: Policy }

const decisions: unknown[] = ['refer', 'turn-back', 'central-isolate', 'home-isolate', 'pass'];
const kinds: unknown[] = ['community', 'metro', 'venue', 'hospital', 'school', 'highway', 'border'];
const within = (n: unknown, least: number, most: number): boolean => Number.isInteger(n) && (n as number) >= least && (n as number) <= most;
const division = (s: unknown): boolean => typeof s === 'string' && rank(parseDivision(s) ?? 0) > 0;

// soundGate reports whether a gate is one that this program understands whole; another is not taken.
export function soundGate(g: BundleGate): boolean {
  const p = g?.policy;
  if (!p || typeof g.id !== 'string' || new TextEncoder().encode(g.id).length > 64 || g.id === '' || !kinds.includes(g.kind) || !division(g.district)) return false;
  const ways = [p.red, p.yellow, p.green, ...(p.leaving ? [p.leaving.red, p.leaving.yellow, p.leaving.green] : []), p.trip?.decision ?? 'refer'];
  if (!ways.every((d) => decisions.includes(d)) || ![0, 24, 48, 72].includes(p.test_hours ?? 0) || !within(p.offline_hours ?? 0, 0, 168)) return false;
  if (![undefined, true, false].includes(p.challenge)) return false;
  if (!(p.fever === 0 || within(p.fever, 350, 420))) return false;
  if (p.vaccine && !(within(p.vaccine.doses, 1, 5) && within(p.vaccine.days ?? 0, 0, 90))) return false;
  const t = p.trip;
  return !t || within(t.days, 1, 28) && within(t.divisions?.length, 1, 200) && t.divisions.every(division) && t.decision !== 'pass';
}

export interface Outcome { decision: Decision; reason: string; why: Text; guidance: Text }

// Facts is all a decision without a network rests on. Times are in milliseconds, the temperature in tenths of a degree.
export interface Facts {
  tell: Tell | ''; // '': there is a colour
  colour: Colour;
  latestNegative?: number;
  temperature: number;
  at: number;
  direction: string;
}

// decide applies a policy. It is pure and total: what it does not know refers.
export function decide(p: Policy, f: Facts): Outcome {
  if (f.tell !== '') return { decision: 'refer', reason: f.tell, ...untold[f.tell] };
  if (f.temperature >= (p.fever || 373)) return { decision: 'refer', ...fever };
  const out: Outcome = { decision: 'refer', ...coloured[f.colour] };
  if (p.leaving && f.direction === 'out') return { ...out, decision: p.leaving[f.colour] };
  out.decision = p[f.colour];
  if (out.decision !== 'pass') return out;
  const hours = p.test_hours ?? 0;
  if (hours > 0 && !recent(f, hours)) return { decision: 'refer', ...noTest(hours) };
  if (p.vaccine) return { decision: 'refer', reason: 'vaccine_unknown', ...needsNetwork };
  if (p.trip) return { decision: 'refer', reason: 'trip_unknown', ...needsNetwork };
  return out;
}

// answered says whether a genuine code answers the number that the gate showed, where its policy asks for one.
export function answered(p: Policy, c: Claims, shown = 0): '' | 'challenge_missing' | 'challenge_wrong' | 'challenge_impossible' {
  if (!p.challenge) return '';
  if (c.kind === 'paper') return 'challenge_impossible';
  if (!c.challenge || !shown) return 'challenge_missing';
  return c.challenge === shown ? '' : 'challenge_wrong';
}

const recent = (f: Facts, hours: number): boolean =>
  f.latestNegative !== undefined && f.latestNegative <= f.at && f.at - f.latestNegative <= hours * 3_600_000;
