// Opens what a gate sealed, with the private key of the vectors, which guards nothing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Aes128Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core';
import { ascii, fromBase64 } from '../src/code/bytes';
import { binds, type Sealed } from '../src/gate/offline/queue';

export interface QueueVectors { about: string; private?: string; spki?: string; sealed: { name: string; sealed: Sealed; content?: Record<string, unknown> }[] }

const folder = join(import.meta.dirname, '../../../testdata/gate');
export const ours = join(folder, 'queue-web.json');
export const theirs = JSON.parse(readFileSync(join(folder, 'queue.json'), 'utf8')) as QueueVectors;

export async function unseal(s: Sealed): Promise<Record<string, unknown>> {
  const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm() });
  const text = fromBase64(s.sealed);
  const recipient = await suite.createRecipientContext({
    recipientKey: await suite.kem.deserializePrivateKey(fromBase64(theirs.private!).buffer), enc: text.slice(0, 65).buffer, info: ascii('kangma gate queue 1'),
  });
  const plain = new Uint8Array(await recipient.open(text.slice(65), binds(s.event, s.gate, s.bundle)));
  return JSON.parse(new TextDecoder().decode(plain)) as Record<string, unknown>;
}
