// Seals a passage: HPKE (RFC 9180), as checkpoint/queue does. The library is a file of its own, fetched once a gate is chosen: it is
// half of the page's script, and engines from before BigInt, which cannot read it, still have the page with a network.
import { Aes128Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core';
import { ascii, concat, toBase64, type Bytes } from '../../code/bytes';
import type { Item } from './gate';
import { binds, type QueueKey, type Sealed } from './queue';

const info = ascii('kangma gate queue 1');
const padding = 512; // plaintexts are filled up to a multiple of it, so that their size does not tell the colour

const suite = () => new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm() });

// seal has an encapsulation of its own for each passage; its secret is gone when the passage is sealed.
export async function seal(to: QueueKey, gate: string, bundle: number, { event, ...content }: Item): Promise<Sealed> {
  const s = suite();
  const sender = await s.createSenderContext({ recipientPublicKey: await s.kem.deserializePublicKey(to.point.buffer), info });
  const text = await sender.seal(pad(new TextEncoder().encode(JSON.stringify(content))), binds(event, gate, bundle));
  return { event, gate, bundle, key: to.id, sealed: toBase64(concat(new Uint8Array(sender.enc), new Uint8Array(text))) };
}

// pad fills up with spaces: JSON may end in them.
function pad(b: Uint8Array): Bytes {
  const out = new Uint8Array(Math.max(1, Math.ceil(b.length / padding)) * padding).fill(32);
  out.set(b);
  return out;
}
