// OfflineGate decides at one gate without a network, as checkpoint.Offline does: by signature, without learning the person.
import { validChallenge } from '../../code/challenge';
import { Keyring, skew, type Tell } from '../../code/keyring';
import { parseDivision } from '../../code/division';
import type { Claims, Colour } from '../../code/claims';
import type { Verdict } from '../../lib/types';
import type { Bundle } from './bundle';
import { Refused } from './document';
import { answered, decide } from './policy';
import { Shown, type Mark } from './shown';

// GateState is what a gate remembers from one bundle to the next, so that neither an old bundle nor a clock that was turned
// back brings anything to life again. It names nobody. Times are in milliseconds.
export interface GateState { bundle: number; trust: number; status: number; seen: number; signed: number }

export const freshState: GateState = { bundle: 0, trust: 0, status: 0, seen: -Infinity, signed: -Infinity };

// take goes on with a bundle that was opened just now. Throws Refused('bundle_old').
export function take(st: GateState, b: Bundle): GateState {
  const status = b.status?.number ?? 0;
  if (b.number < st.bundle || b.trust.number < st.trust || (b.status && status < st.status)) throw new Refused('bundle_old');
  const signed = Math.max(st.signed, b.issued * 1000);
  return {
    bundle: b.number, trust: b.trust.number, status: Math.max(st.status, status),
    seen: b.number > st.bundle ? signed : st.seen, // it came from a server just now: the one way down for a clock that jumped ahead
    signed: Math.max(signed, (b.status?.issued ?? -Infinity) * 1000),
  };
}

// Shot is one code at the gate: the temperature in tenths of a degree, 0 if not taken.
export interface Shot { event: string; code: string; direction?: 'in' | 'out'; temperature?: number; challenge?: number } // challenge: the number that the gate showed

// Item is a passage before it is sealed.
export interface Item { event: string; code: string; decision: string; colour?: Colour; reason: string; direction?: string; temperature?: number; flags: string[] }

export interface Ages { bundle: number; trust: number; status: number; amber: boolean } // milliseconds; status -1: none

const amberAge = 30 * 60_000;

export class OfflineGate {
  private constructor(readonly bundle: Bundle, private readonly keys: Keyring, public state: GateState, private readonly shown: Shown) {}

  // of makes the gate of a bundle, going on from what it has kept. shown is shared by the bundles of one device.
  static async of(bundle: Bundle, kept: GateState = freshState, shown = new Shown()): Promise<OfflineGate> {
    return new OfflineGate(bundle, await Keyring.of(bundle.trust.keys), take(kept, bundle), shown);
  }

  ages(at: number): Ages {
    const of = (issued: number) => at - issued * 1000;
    const a = { bundle: of(this.bundle.issued), trust: of(this.bundle.trust.issued), status: this.bundle.status ? of(this.bundle.status.issued) : -1 };
    return { ...a, amber: a.bundle > amberAge || a.status > amberAge || a.status < 0 };
  }

  // scan verifies and decides at a moment in milliseconds. The caller seals and keeps the item, and the mark of a good code, before
  // it shows the verdict. Throws Refused where the scan itself is wrong.
  async scan(s: Shot, at: number): Promise<{ verdict: Verdict; item: Item; mark?: Mark }> {
    check(s);
    const g = this.bundle.gate;
    let { tell, claims, slot } = await this.read(s, at);
    const flags = ['offline', ...(tell === 'stale_gate' ? ['stale'] : [])];
    let mark: Mark | undefined;
    if (tell === '') {
      const odd = this.shown.note(claims!.id, slot, { event: s.event, gate: g.id, place: parseDivision(g.district)!, at }, claims!.challenge !== undefined);
      flags.push(...odd.flags);
      mark = odd.mark;
      if (odd.replayed) tell = 'replayed';
    }
    const colour = claims?.kind === 'paper' ? 'green' : claims?.colour ?? 'red'; // a paper code has no colour; it was not on the list
    const latest = claims?.latestNegative;
    const out = decide(g.policy, {
      tell, colour, latestNegative: latest === undefined ? undefined : latest * 1000, temperature: s.temperature ?? 0, at, direction: s.direction ?? '',
    });
    const told = tell === '';
    const verdict: Verdict = {
      event: s.event, at: new Date(at).toISOString(), decision: out.decision, told, ...(told ? { colour } : { cannot_tell: tell }),
      reason: out.reason, why: out.why, guidance: out.guidance,
      ...(claims?.maskedName && { masked_name: claims.maskedName }), ...(claims?.idTail && { id_tail: claims.idTail }), flags,
    };
    const item: Item = {
      event: s.event, code: s.code, decision: out.decision, ...(told && { colour }), reason: out.reason,
      ...(s.direction && { direction: s.direction }), ...(s.temperature && { temperature: s.temperature / 10 }), flags,
    };
    return { verdict, item, mark };
  }

  // read says what the code says, as far as the bundle lets it be believed.
  private async read(s: Shot, at: number): Promise<{ tell: Tell | ''; claims?: Claims; slot?: number }> {
    if (at < this.bundle.issued * 1000 - skew || !this.observe(at)) return { tell: 'clock' };
    if (at >= this.bundle.expires * 1000) return { tell: 'stale_gate' };
    const r = await this.keys.verify(s.code, at);
    if (r.tell !== '') return r;
    const unanswered = answered(this.bundle.gate.policy, r.claims!, s.challenge);
    if (unanswered !== '') return { ...r, tell: unanswered };
    const list = this.bundle.status && at < this.bundle.status.expires * 1000 ? this.bundle.status : undefined;
    if (list ? list.hit(idBytes(r.claims!.id)) : r.claims!.kind === 'paper') return { ...r, tell: 'check_online' };
    return r;
  }

  // observe takes a reading of the clock: false where it stands before what it showed, or what a document proves.
  private observe(at: number): boolean {
    const { seen, signed } = this.state;
    if (at < seen - skew || at < signed - skew) return false;
    this.state = { ...this.state, seen: Math.max(seen, at) };
    return true;
  }
}

// check refuses what the server would refuse when the passage is sent to it.
function check(s: Shot): void {
  if (s.challenge && !validChallenge(s.challenge)) throw new Refused('challenge');
  if (s.direction && s.direction !== 'in' && s.direction !== 'out') throw new Refused('direction');
  if (s.temperature && (s.temperature < 300 || s.temperature > 450)) throw new Refused('temperature');
  if (new TextEncoder().encode(s.code).length > 4096) throw new Refused('code');
}

const idBytes = (id: string) => Uint8Array.from(id.match(/../g)!, (h) => parseInt(h, 16));
