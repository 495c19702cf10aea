// Shown remembers the codes that this device saw lately: a holder proof counts once, and a code that was at another gate
// sooner than anybody travels is flagged.
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { hex, type Bytes } from '../../code/bytes';
import { contains, rank } from '../../code/division';

const minute = 60_000;
export const shownLife = 45 * minute;
const proofLife = 2 * minute;
const answerLife = 4 * minute; // the link in an answer proves each slot up to the third from there
const most = 1 << 14; // of each kind; a phone at one gate sees far fewer in an hour

export interface Showing { event: string; gate: string; place: number; at: number }

// Mark is a showing as it may lie on a disk: code and proofs are short keyed hashes, from which nothing can be read without the
// code. An answer to a gate's number uses up the slots before its own too, so it has several proofs, its own first.
export interface Mark extends Showing { code: string; proofs: string[]; answer?: boolean }

// Aging is a map in two generations: what is younger than life is found, what is older than two lives is gone.
class Aging {
  private young = new Map<string, Showing>();
  private old = new Map<string, Showing>();
  private since = -Infinity;

  constructor(private readonly life: number) {}

  get(key: string, now: number): Showing | undefined {
    this.turn(now);
    return this.young.get(key) ?? this.old.get(key);
  }

  put(key: string, s: Showing, now: number): void {
    this.turn(now);
    this.young.set(key, s);
  }

  private turn(now: number): void {
    const age = now - this.since;
    if (age < this.life && this.young.size < most) return;
    this.old = age >= 2 * this.life ? new Map() : this.young;
    this.young = new Map();
    this.since = now;
  }
}

// leastTravel gives the least time in milliseconds from one gate's division to another's.
export function leastTravel(a: number, b: number): number {
  if (rank(a) === 0 || rank(b) === 0) return 0;
  const shared = (unit: number) => Math.floor(a / unit) === Math.floor(b / unit);
  if (shared(1000) || contains(a, b) || contains(b, a)) return 20_000;
  if (shared(100_000)) return 5 * minute;
  return (shared(10_000_000) ? 20 : 45) * minute;
}

const usedUp = 8; // slots of 30 s that an answer uses up: older ones have expired

export class Shown {
  private readonly codes = new Aging(shownLife);
  private readonly proofs = new Aging(proofLife);
  private readonly answers = new Aging(answerLife);

  // key is that of the marks: 32 random bytes that live as long as the session.
  constructor(private readonly key: Bytes = crypto.getRandomValues(new Uint8Array(32))) {}

  // note records a good code at a gate and says what is odd about it. slot: of the holder proof, if it has one. answer: it carries
  // a gate's number.
  note(id: string, slot: number | undefined, now: Showing, answer = false): { replayed: boolean; flags: string[]; mark: Mark } {
    const slots = slot === undefined ? [] : Array.from({ length: answer ? Math.min(slot + 1, usedUp) : 1 }, (_, i) => slot - i);
    const mark: Mark = { ...now, code: this.tag(id), proofs: slots.map((n) => this.tag(`${id}/${n}`)), ...(answer && { answer }) };
    return { ...this.take(mark), mark };
  }

  // take is note for a mark: of the session before a reload.
  take(mark: Mark): { replayed: boolean; flags: string[] } {
    const flags: string[] = [];
    const own = mark.proofs[0];
    const before = own === undefined ? undefined : this.proofs.get(own, mark.at) ?? this.answers.get(own, mark.at);
    const replayed = before !== undefined && (before.event !== mark.event || before.gate !== mark.gate);
    if (replayed) flags.push('replay');
    else if (!before) for (const p of mark.proofs) (mark.answer ? this.answers : this.proofs).put(p, mark, mark.at);
    const last = this.codes.get(mark.code, mark.at);
    if (last && last.gate !== mark.gate && Math.abs(mark.at - last.at) < leastTravel(last.place, mark.place)) flags.push('travel');
    if (!last || mark.at >= last.at) this.codes.put(mark.code, mark, mark.at);
    return { replayed, flags };
  }

  private tag(what: string): string {
    return hex(hmac(sha256, this.key, new TextEncoder().encode(what)).subarray(0, 6));
  }
}
