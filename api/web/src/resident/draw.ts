// Drawing credentials: the phone makes the secrets, the server signs the ends of their chains.
import { hex } from '../code/bytes';
import { growChain, type Chain } from '../code/chain';
import { maxSlots } from '../code/claims';
import { call } from '../lib/api';
import type { Drawn } from './vault';

const ahead = 8; // shows of a day that no gate can link

// draw makes the chains in small pieces, so that the page stays alive on a slow phone, and asks for their credentials.
export async function draw(): Promise<{ chains: Chain[]; answer: Drawn }> {
  const chains: Chain[] = [];
  for (let i = 0; i < ahead; i++) {
    chains.push(await growChain(maxSlots));
  }
  const anchors = chains.map((c) => ({ nonce: hex(c.nonce), anchor: hex(c.anchor) }));
  return { chains, answer: await call<Drawn>('POST', '/v1/me/credentials', { anchors }) };
}
