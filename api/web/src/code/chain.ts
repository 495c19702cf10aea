// The hash chain by which a phone proves that it holds a credential (docs/code-format.md section 3). The hash is computed
// in the page itself: 2,880 asynchronous digests would take longer than the hashing, and pages without https have none.
import { sha256 } from '@noble/hashes/sha2.js';
import { ascii, concat, same, type Bytes } from './bytes';
import { ahead, validChallenge, veil } from './challenge';
import type { Claims } from './claims';
import { slots } from './claims';

const linkSize = 12;
const context = ascii('KM1 holder');

// walk takes the steps of slots from down to to and gives the link before to; -1 is the anchor's place.
function walk(nonce: Bytes, from: number, to: number, link: Bytes): Bytes {
  const b = new Uint8Array(28);
  b.set(context);
  b.set(nonce, 10);
  b.set(link, 16);
  for (let slot = from; slot >= to; slot--) {
    b[14] = slot >> 8;
    b[15] = slot & 255;
    b.set(sha256(b).subarray(0, linkSize), 16);
  }
  return b.slice(16);
}

export const stride = 96; // slots between two marks

// Chain is one credential's secret. marks are the links of every 96th slot, so that showing a slot takes at most 95 steps;
// they are as secret as the seed.
export interface Chain { nonce: Bytes; anchor: Bytes; seed: Bytes; slots: number; marks: Bytes[] }

type Random = (n: number) => Bytes;
const drawn: Random = (n) => crypto.getRandomValues(new Uint8Array(n));

// newChain hashes the whole chain at once: some milliseconds on a desk, some tens on a slow phone.
export function newChain(count: number, random = drawn): Chain {
  const work = chainWork(count, random);
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

// growChain does the same in pieces of about a frame, so that a page on a slow phone goes on answering.
export async function growChain(count: number, pause: () => Promise<unknown> = () => new Promise((done) => setTimeout(done))): Promise<Chain> {
  const work = chainWork(count, drawn);
  let from = performance.now();
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    if (performance.now() - from < 12) continue;
    await pause();
    from = performance.now();
  }
}

// chainWork stops after each mark.
function* chainWork(count: number, random: Random): Generator<undefined, Chain> {
  const nonce = random(4);
  const seed = random(32);
  let link: Bytes = last(seed);
  const marks: Bytes[] = [];
  let slot = count - 1;
  for (let mark = Math.floor((count - 1) / stride); mark >= 0; mark--) {
    link = walk(nonce, slot, mark * stride + 1, link);
    slot = mark * stride;
    marks[mark] = link;
    yield;
  }
  return { nonce, seed, slots: count, marks, anchor: walk(nonce, 0, 0, link) };
}

const last = (seed: Bytes): Bytes => sha256(concat(ascii('KM1 holder seed'), seed)).slice(0, linkSize);

// linkOf gives the link of a slot of the chain.
export function linkOf(c: Chain, slot: number): Bytes {
  if (!(slot >= 0 && slot < c.slots)) throw new RangeError('no such slot');
  const mark = Math.ceil(slot / stride);
  const known = c.marks[mark];
  return known ? walk(c.nonce, mark * stride, slot + 1, known) : walk(c.nonce, c.slots - 1, slot + 1, last(c.seed));
}

// proofTell checks the proof of a genuine credential at a moment in milliseconds: '' means that its holder shows it now.
export function proofTell(c: Claims, proof: Bytes, at: number, skew: number): '' | 'malformed' | 'not_yet_valid' | 'expired' | 'forged' {
  const slot = proof[0]! * 256 + proof[1]!;
  const challenge = proof[14]; // of an answer
  if (slot >= slots(c) || (challenge !== undefined && (slot < ahead || !validChallenge(challenge)))) return 'malformed';
  const begin = (c.issued + (challenge === undefined ? slot : slot - ahead) * 30) * 1000;
  if (at < begin - skew) return 'not_yet_valid';
  if (at >= begin + 30_000 + skew) return 'expired'; // a photo of a shown code
  const shown = proof.subarray(2, 2 + linkSize);
  const link = challenge === undefined ? shown : veil(c.nonce, slot, challenge, shown);
  return same(walk(c.nonce, slot, 0, link), c.anchor!) ? '' : 'forged';
}
