// The credentials that this phone holds, with the secrets of their hash chains. Nothing here leaves the phone but the one link
// of the slot that is shown. Times are in milliseconds. Everything is pure but load, save and wipe.
import type { Chain } from '../code/chain';
import { ahead } from '../code/challenge';
import { slotSeconds, type Colour } from '../code/claims';
import { answer, claimsOf, show } from '../code/phone';
import { clear, get, write } from '../lib/db';
import type { CodeView } from '../lib/types';

export interface Held {
  credential: string;
  chain: Chain;
  colour: Colour;
  issued: number;
  expires: number;
  first?: number; // when its latest show began and was last seen
  last?: number;
}

export interface Vault {
  held: Held[];
  drawn: number;
  refresh: number; // draw again then
  view?: CodeView; // what the server said last, without a code
  heard: number; // when it said so
}

export const empty: Vault = { held: [], drawn: 0, refresh: 0, heard: 0 };

const slot = slotSeconds * 1000;
const early = 30_000; // a clock may be this far behind the server's

// usable are those that a gate accepts now.
export const usable = (v: Vault, now: number): Held[] => v.held.filter((h) => now >= h.issued - early && now < h.expires);

const sameShow = 60_000; // looked at again within a minute: still the same show
const longestShow = 5 * 60_000;

const goesOn = (h: Held, now: number): boolean => h.last !== undefined && now - h.last < sameShow && now - h.first! < longestShow;

// pick chooses what to show: during one show the same credential; for the next show one that no gate has seen, or the one
// that was seen longest ago. next: the person asks for another one. undefined: nothing to show.
export function pick(v: Vault, now: number, next = false, answering = false): Held | undefined {
  const able = usable(v, now).filter((h) => !answering || canAnswer(h, now));
  const newest = able.reduce<Held | undefined>((a, h) => ((h.last ?? 0) > (a?.last ?? 0) ? h : a), undefined);
  if (newest && goesOn(newest, now) && !next) return newest;
  const others = able.length > 1 ? able.filter((h) => h !== newest) : able;
  return others.reduce<Held | undefined>((a, h) => (a === undefined || (h.last ?? 0) < (a.last ?? 0) ? h : a), undefined);
}

// seen notes that a credential is on the screen.
export function seen(h: Held, now: number): void {
  if (!goesOn(h, now)) h.first = now;
  h.last = now;
}

// slotAt gives the slot of the moment and when the next one begins. A clock a little behind shows the first slot.
export function slotAt(h: Held, now: number): { slot: number; until: number } {
  const n = Math.max(0, Math.floor((now - h.issued) / slot));
  return { slot: n, until: h.issued + (n + 1) * slot };
}

// textOf gives what is shown in a slot; challenge: with the number of a gate.
export const textOf = (h: Held, n: number, challenge?: number): string =>
  challenge === undefined ? show(h.credential, h.chain, n) : answer(h.credential, h.chain, n, challenge);

// canAnswer reports whether a credential has an answer to a gate's number now.
export const canAnswer = (h: Held, now: number): boolean => slotAt(h, now).slot + ahead < (h.expires - h.issued) / slot;

// hear takes what the server says of the person now: credentials of another colour are not shown any more.
export function hear(v: Vault, view: CodeView, now: number): Vault {
  const { code: _, ...rest } = view;
  return { ...v, view: rest as CodeView, heard: now, held: view.told ? v.held.filter((h) => h.colour === view.colour) : v.held };
}

// Lent is the server's own code of some 90 s. It is shown where the phone has nothing of its own and cannot draw: while the register does
// not answer. It is never stored.
export interface Lent { code: string; colour: Colour; issued: number; expires: number }

// lent is what the server's answer gives to show, undefined where the phone's own serve or will be drawn.
export function lent(v: Vault, view: CodeView, now: number): Lent | undefined {
  if (!view.as_of || !view.told || !view.code || !view.colour || usable(v, now).length > 0) return undefined;
  return { code: view.code, colour: view.colour, issued: Date.parse(view.issued_at), expires: Date.parse(view.expires_at) };
}

// askAgain is the wait in milliseconds until the server is asked again while all goes well. While the register does not answer no phone hurries to draw;
// only a lent code is replaced a while before it ends. random is 0 to 1.
export function askAgain(v: Vault, l: Lent | undefined, now: number, random: number): number {
  const often = Math.round(5 * 60_000 * (0.8 + 0.4 * random));
  if (l) return Math.max(2000, Math.round(Math.min(often, (l.expires - now) * (0.6 + 0.2 * random))));
  return v.view?.as_of ? often : Math.max(2000, Math.min(often, (v.refresh || Infinity) - now));
}

const fewest = 3 * 3_600_000; // between two draws because all were shown: what a person may hold is bounded

// due says whether to draw: nothing usable, the refresh time, or every credential has been shown. asked: the person wants it.
export function due(v: Vault, now: number, asked = false): boolean {
  if (usable(v, now).length === 0 || now >= v.refresh) return true;
  if (v.held.every((h) => h.last !== undefined) && now - v.drawn > fewest) return true;
  return asked && now - v.drawn > 15 * 60_000;
}

export interface Drawn { told: boolean; colour?: Colour; credentials: { credential: string }[]; refresh_at?: string }

// stored takes the answer to a draw: what belongs to the chains is kept in place of what was.
export function stored(v: Vault, answer: Drawn, chains: Chain[], now: number, random: number): Vault {
  const held = answer.credentials.flatMap(({ credential }, i): Held[] => {
    const chain = chains[i];
    const c = chain && claimsOf(credential, chain);
    return c ? [{ credential, chain, colour: c.colour, issued: c.issued * 1000, expires: c.expires * 1000 }] : [];
  });
  const first = held[0];
  return first ? { ...v, held, drawn: now, refresh: refreshTime(Date.parse(answer.refresh_at ?? ''), first, random) } : v;
}

// refreshTime is the server's where it lies between 50 and 90 % of the life, else a moment of our own in there.
export function refreshTime(wish: number, h: { issued: number; expires: number }, random: number): number {
  const at = (part: number) => h.issued + (h.expires - h.issued) * part;
  return wish >= at(0.5) && wish <= at(0.9) ? wish : at(0.5 + 0.4 * random);
}

const key = 'vault';

export async function load(): Promise<Vault> {
  try {
    return (await get<Vault>('phone', key)) ?? empty;
  } catch {
    return empty;
  }
}

export async function save(v: Vault): Promise<void> {
  await write({ store: 'phone', key, value: v }).catch(() => { /* a full disk: what is in memory is shown until the page is closed */ });
}

// wipe forgets everything of the person.
export async function wipe(): Promise<void> {
  await clear('phone').catch(() => { /* nothing was kept */ });
}
