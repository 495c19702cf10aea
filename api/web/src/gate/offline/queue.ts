// The form in which a gate without a network keeps its passages: sealed to the server's key in the signed bundle, so that neither
// a thief of the device nor the device itself can read them (docs/gates.md). seal.ts does it.
import { concat, same, type Bytes } from '../../code/bytes';
import { keyId } from '../../code/keyring';
import { Refused } from '../../lib/refused';

// QueueKey is the server's public key: its id, and the uncompressed point.
export interface QueueKey { id: string; point: Bytes }

// Sealed is a passage as POST /v1/scans/sync takes it. In clear is when and where somebody was scanned, not who, nor what came of it.
export interface Sealed { event: string; gate: string; bundle: number; key: string; sealed: string }

const spkiHead = Uint8Array.from('3059301306072a8648ce3d020106082a8648ce3d030107034200'.match(/../g)!, (h) => parseInt(h, 16)); // P-256

// parseQueueKey reads a SubjectPublicKeyInfo. Throws Refused.
export function parseQueueKey(spki: Bytes): QueueKey {
  if (spki.length !== spkiHead.length + 65 || !same(spki.subarray(0, spkiHead.length), spkiHead) || spki[spkiHead.length] !== 4) throw new Refused('bundle');
  return { id: keyId(spki), point: spki.slice(spkiHead.length) };
}

// binds gives what a seal holds together besides its content: the event's id, 8 bytes of the bundle's number, the gate's id.
export function binds(event: string, gate: string, bundle: number): Bytes {
  const fixed = new DataView(new ArrayBuffer(24));
  (event.replace(/-/g, '').match(/../g) ?? []).forEach((h, i) => fixed.setUint8(i, parseInt(h, 16)));
  fixed.setUint32(16, Math.floor(bundle / 2 ** 32));
  fixed.setUint32(20, bundle >>> 0);
  return concat(new Uint8Array(fixed.buffer), new TextEncoder().encode(gate));
}
