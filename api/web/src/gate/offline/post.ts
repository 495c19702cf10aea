// Post is a gate's device between network and none: it keeps the bundle fresh, decides where the server cannot be reached, and
// sends what it decided until the server has it. It has no screen.
import { fromBase64 } from '../../code/bytes';
import { call, fetchSigned, Problem, unreached } from '../../lib/api';
import { backoff } from '../../lib/backoff';
import { now } from '../../lib/clock';
import type { Verdict } from '../../lib/types';
import { openBundle } from './bundle';
import { OfflineGate, type Ages, type GateState, type Shot } from './gate';
import { keepBundle, keepPassage, keptBundle, keptState, recent, reseal, sessionKey, settle, waiting, type KeptBundle } from './keep';
import { Shown } from './shown';

export interface PostState {
  offline: boolean;
  challenge?: boolean; // the policy of the bundle asks for a number
  list?: number; // server's time of issue of the list in use, milliseconds
  ages?: Ages;
  stale: boolean; // the bundle has expired
  waiting: number;
  refused: number;
  next: number; // of the next attempt to reach the server
}

const fresh = 5 * 60_000; // between two bundles
const batch = 200; // passages of one upload
const batchSize = 1_000_000; // characters of one upload

export class Post {
  offline = false;
  private gate?: OfflineGate;
  private seal?: typeof import('./seal').seal;
  private shown = new Shown();
  private timer?: ReturnType<typeof setTimeout>;
  private failures = 0;
  private next = 0;
  private closed = false;
  private busy?: Promise<void>;
  private counts = { waiting: 0, refused: 0 };
  private turn: Promise<unknown> = Promise.resolve();

  constructor(readonly id: string, private readonly changed: (s: PostState) => void, private readonly loggedOut: () => void) {}

  // start goes on from what the device keeps, then asks the server. offline: it is known not to answer.
  async start(offline: boolean): Promise<void> {
    this.offline = offline;
    if (!globalThis.crypto?.subtle) return; // a page without https cannot verify
    try {
      await this.recall();
      const kept = await keptBundle(this.id);
      if (kept) await this.use(kept, false);
    } catch { /* damaged or of another version: the server has a new one */ }
    await this.count();
    await this.reach();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  get able(): boolean { return this.gate !== undefined; }

  // lost says that the server cannot be reached; the device decides from now on, and goes on trying.
  lost(): void {
    if (this.offline) return;
    this.offline = true;
    this.failures = Math.max(1, this.failures);
    this.plan(backoff(this.failures, 0, Math.random()));
    this.tell();
  }

  // decide scans without a network. The passage is sealed and on the disk before the verdict is given. Throws where it cannot be kept.
  decide(shot: Shot): Promise<Verdict> {
    const mine = this.turn.then(async () => {
      const gate = this.gate!;
      const { verdict, item, mark } = await gate.scan(shot, Math.floor(now()));
      await keepPassage(await this.seal!(gate.bundle.queue, this.id, gate.bundle.number, item), mark, gate.state);
      this.counts.waiting++;
      this.tell();
      return verdict;
    });
    this.turn = mine.catch(() => {});
    return mine;
  }

  // reach asks the server for a new bundle and sends what waits; one at a time.
  reach(): Promise<void> {
    this.busy ??= this.ask().finally(() => { this.busy = undefined; });
    return this.busy;
  }

  private async ask(): Promise<void> {
    clearTimeout(this.timer);
    await recent(now()).catch(() => {}); // what is over is forgotten
    let fault = await this.renew().then(() => undefined, (err: unknown) => err);
    this.offline = unreached(fault);
    if (!this.offline) { // a bundle that is refused keeps nothing from being sent
      const another = await this.send().then(() => undefined, (err: unknown) => err);
      this.offline = unreached(another);
      fault ??= another;
    }
    if (fault instanceof Problem && fault.status === 401) return this.loggedOut();
    this.failures = fault === undefined ? 0 : this.failures + 1;
    this.plan(fault === undefined ? fresh * (0.8 + 0.4 * Math.random()) : backoff(this.failures, fault instanceof Problem ? fault.retryAfter : 0, Math.random()));
    this.tell();
  }

  private async renew(): Promise<void> {
    const { data, header } = await fetchSigned(`/v1/gates/${encodeURIComponent(this.id)}/bundle`, 'Kangma-List-Key');
    await this.use({ data, pin: fromBase64(header) }, true);
  }

  // use opens a bundle by its pin, going on from what the gate remembers.
  private async use(kept: KeptBundle, keep: boolean): Promise<void> {
    this.seal ??= (await import('./seal')).seal; // a device that cannot seal keeps nothing and decides nothing
    const state: GateState = this.gate?.state ?? await keptState(this.id);
    const bundle = await openBundle(kept.data, [kept.pin], now());
    if (bundle.gate.id !== this.id) throw new Error('the bundle of another gate');
    const gate = await OfflineGate.of(bundle, state, this.shown);
    if (keep) await keepBundle(this.id, kept, gate.state);
    this.gate = gate;
    await this.sealPlain();
  }

  // send uploads what waits, of all gates, at least once each: the server counts an event once however often it comes.
  private async send(): Promise<void> {
    let fault: unknown;
    for (const gate of new Set((await waiting()).map((w) => w.gate))) {
      try {
        while (await this.upload(gate) && !this.closed);
      } catch (err) {
        fault ??= err; // this account may have no right to a gate of the one before it
      }
    }
    await this.count();
    if (fault) throw fault;
  }

  // upload sends one batch of a gate's passages and says whether there is more to send.
  private async upload(gate: string): Promise<boolean> {
    const all = (await waiting()).filter((w) => w.gate === gate && !w.refused);
    const mine = all.slice(0, batch);
    while (mine.length > 1 && JSON.stringify(mine).length > batchSize) mine.length = mine.length >> 1; // somebody showed long texts
    if (mine.length === 0) return false;
    const answer = await call<{ results: { event: string; kept: boolean; code?: string }[] }>('POST', '/v1/scans/sync', { gate, passages: mine.map((w) => w.item) }, 30_000);
    await settle(mine, answer.results);
    return mine.length < all.length && answer.results.some((r) => r.kept);
  }

  // recall puts back into memory what this session has seen lately, so that a reload makes no proof good again.
  private async recall(): Promise<void> {
    this.shown = new Shown(await sessionKey());
    for (const m of await recent(now())) this.shown.take(m);
  }

  // sealPlain seals what a page of before passages were sealed has left.
  private async sealPlain(): Promise<void> {
    const { queue, number } = this.gate!.bundle;
    const plain = (await waiting()).flatMap((w) => ('code' in w.item ? [{ ...w, item: w.item }] : []));
    if (plain.length > 0) await reseal(await Promise.all(plain.map(async (w) => ({ ...w, item: await this.seal!(queue, w.gate, number, w.item) }))));
  }

  private async count(): Promise<void> {
    const list = await waiting().catch(() => []);
    const refused = list.filter((w) => w.refused).length;
    this.counts = { waiting: list.length - refused, refused };
    this.tell();
  }

  private plan(wait: number): void {
    if (this.closed) return;
    this.next = now() + wait;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.reach(), wait);
  }

  private tell(): void {
    if (this.closed) return;
    const b = this.gate?.bundle;
    this.changed({
      offline: this.offline, next: this.next, ...this.counts, stale: b !== undefined && now() >= b.expires * 1000,
      ...(b && { challenge: b.gate.policy.challenge === true, list: (b.status?.issued ?? b.issued) * 1000, ages: this.gate!.ages(now()) }),
    });
  }
}
