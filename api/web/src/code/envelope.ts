// The outer form of a code: "KM1:", Base45, COSE_Sign1, and for a shown credential its proof (docs/code-format.md section 1).
// Nothing here has been verified.
import { decode45, encode45 } from './base45';
import { ascii, concat, hex, type Bytes } from './bytes';
import { Cursor, head } from './cursor';

export const prefix = 'KM1:';
const maxText = 335; // a QR code of version 9 at level L holds no more

const headEnvelope = Uint8Array.of(0xd2, 0x84); // tag 18, array of 4
const headKid = Uint8Array.of(0x49, 0xa2, 0x01, 0x26, 0x04, 0x44); // byte string of 9: {1: -7 (ES256), 4: byte string of 4}
const headLater = Uint8Array.of(0xa0, 0x58); // no unprotected header; payload of 24 to 255 bytes
const headSig = Uint8Array.of(0x58, 0x40);
const headProof = Uint8Array.of(0x4e); // byte string of 14: slot and link
const headAnswer = Uint8Array.of(0x4f); // byte string of 15: slot, veiled link, a gate's number
const protectedAt = headEnvelope.length;
const protectedTo = protectedAt + headKid.length + 4;

export interface Envelope {
  raw: Bytes; // the COSE_Sign1 without a proof
  key: string; // key id, hexadecimal
  payload: Bytes;
  sig: Bytes;
  proof?: Bytes;
}

// cut splits the text of a code, or says why it is none of ours.
export function cut(text: string): Envelope | 'not_ours' | 'malformed' {
  if (!text.startsWith(prefix)) return 'not_ours';
  const bytes = text.length <= maxText ? decode45(text.slice(prefix.length)) : undefined;
  if (!bytes) return 'malformed';
  const r = new Cursor(bytes);
  r.literal(headEnvelope);
  r.literal(headKid);
  const kid = r.take(4);
  r.literal(headLater);
  const size = r.take(1)[0] ?? 0;
  if (size < 24) return 'malformed';
  const payload = r.take(size);
  r.literal(headSig);
  const sig = r.take(64);
  const e: Envelope = { raw: bytes.subarray(0, r.at), key: hex(kid), payload, sig };
  if (r.left > 0) {
    const answer = r.next === headAnswer[0];
    r.literal(answer ? headAnswer : headProof);
    e.proof = r.take(answer ? 15 : 14);
  }
  return r.bad || r.left > 0 ? 'malformed' : e;
}

// toSign gives the Sig_structure of RFC 9052 section 4.4: ["Signature1", protected, external (none), payload].
export const toSign = (protectedString: Bytes, payload: Bytes): Bytes =>
  concat(Uint8Array.of(0x84, 0x6a), ascii('Signature1'), protectedString, Uint8Array.of(0x40, ...head(2, payload.length)), payload);

export const signedBytes = (e: Envelope): Bytes => toSign(e.raw.subarray(protectedAt, protectedTo), e.payload);

// withProof gives the text of a credential that is shown in a slot.
export const withProof = (e: Envelope, slot: number, link: Bytes): string =>
  prefix + encode45(concat(e.raw, headProof, Uint8Array.of(slot >> 8, slot & 255), link));

// withAnswer gives the text that carries a gate's number; slot is the link's.
export const withAnswer = (e: Envelope, slot: number, veiled: Bytes, challenge: number): string =>
  prefix + encode45(concat(e.raw, headAnswer, Uint8Array.of(slot >> 8, slot & 255), veiled, Uint8Array.of(challenge)));
