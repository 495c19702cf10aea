// Shown remembers the codes that this device saw lately: a holder proof counts once, and a code that was at another gate
// sooner than anybody travels is flagged.
import { contains, rank } from '../../code/division';

const minute = 60_000;
const shownLife = 45 * minute;
const proofLife = 2 * minute;
const answerLife = 4 * minute; // the link in an answer proves each slot up to the third from there
const most = 1 << 14; // of each kind; a phone at one gate sees far fewer in an hour

interface Showing { event: string; gate: string; place: number; at: number; slot?: number }

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

export class Shown {
  private readonly codes = new Aging(shownLife);
  private readonly proofs = new Aging(proofLife);
  private readonly answers = new Aging(answerLife);

  // note records a good code at a gate and says what is odd about it. slot: of the holder proof, if it has one.
  // answer: it carries a gate's number, and uses up the slots before its own too.
  note(id: string, slot: number | undefined, now: Showing, answer = false): { replayed: boolean; flags: string[] } {
    const flags: string[] = [];
    let replayed = false;
    if (slot !== undefined) {
      const key = `${id}/${slot}`;
      const before = this.proofs.get(key, now.at);
      const used = this.answers.get(id, now.at);
      const retry = before?.event === now.event && before.gate === now.gate;
      replayed = !retry && (before !== undefined || (used !== undefined && slot <= used.slot!));
      if (replayed) flags.push('replay');
      else if (!retry) {
        this.proofs.put(key, now, now.at);
        if (answer) this.answers.put(id, { ...now, slot }, now.at);
      }
    }
    const before = this.codes.get(id, now.at);
    if (before && before.gate !== now.gate && Math.abs(now.at - before.at) < leastTravel(before.place, now.place)) flags.push('travel');
    if (!before || now.at >= before.at) this.codes.put(id, now, now.at);
    return { replayed, flags };
  }
}
