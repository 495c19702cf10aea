// What a phone shows of a credential in one slot.
import { same } from './bytes';
import { linkOf, type Chain } from './chain';
import { ahead, validChallenge, veil } from './challenge';
import { decodeClaims, slots, type Claims } from './claims';
import { cut, withAnswer, withProof } from './envelope';

// claimsOf reads a credential that was drawn for this chain; undefined where the two do not belong together. The phone has
// no keys to verify it with and need not: gates do.
export function claimsOf(credential: string, chain: Chain): Claims | undefined {
  const e = cut(credential);
  const c = typeof e === 'string' || e.proof ? undefined : decodeClaims(e.payload);
  return c?.kind === 'credential' && same(c.anchor!, chain.anchor) && same(c.nonce, chain.nonce) && slots(c) <= chain.slots ? c : undefined;
}

// show adds the link of a slot.
export function show(credential: string, chain: Chain, slot: number): string {
  const e = cut(credential);
  if (typeof e === 'string') throw new Error('this is not a credential');
  return withProof(e, slot, linkOf(chain, slot));
}

// answer shows it in a slot with the number of a gate. The last slots of a credential have no answer.
export function answer(credential: string, chain: Chain, slot: number, challenge: number): string {
  const e = cut(credential);
  if (typeof e === 'string' || !validChallenge(challenge)) throw new Error('this is not a credential, or no number of a gate');
  const at = slot + ahead;
  return withAnswer(e, at, veil(chain.nonce, at, challenge, linkOf(chain, at)), challenge);
}
