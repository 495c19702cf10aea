// What a phone shows of a credential in one slot.
import { same } from './bytes';
import { linkOf, type Chain } from './chain';
import { decodeClaims, slots, type Claims } from './claims';
import { cut, withProof } from './envelope';

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
