// Keyring verifies codes without a network and without learning the person: signature first, then content.
import { sha256 } from '@noble/hashes/sha2.js';
import { compare, hex, type Bytes } from './bytes';
import { proofTell } from './chain';
import { decodeClaims, type Claims } from './claims';
import { contains } from './division';
import { cut, signedBytes, type Envelope } from './envelope';

export type Tell = 'expired' | 'not_yet_valid' | 'unknown_key' | 'forged' | 'malformed' | 'not_ours' | 'specimen' | 'stale_gate' | 'clock' | 'replayed' | 'revoked' | 'check_online'
  | 'challenge_missing' | 'challenge_wrong' | 'challenge_impossible';

export const skew = 30_000; // milliseconds that two clocks may differ

// TrustedKey is for the codes of one region and its parts, issued from a time until another (Unix seconds).
export interface TrustedKey { spki: Bytes; region: number; from: number; until: number; state: number } // state 0: retired

// Shown is what a code turned out to be. With a verdict the claims are there only where the code is genuine.
export interface Read { tell: Tell | ''; claims?: Claims; slot?: number }

const order = Uint8Array.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'.match(/../g)!, (h) => parseInt(h, 16));
const half = Uint8Array.from('7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8'.match(/../g)!, (h) => parseInt(h, 16));
const zero = new Uint8Array(32);

// canonical reports whether r is in 1..n-1 and s in 1..n/2: ECDSA has two signatures of everything, ours is the one below.
export function canonical(sig: Bytes): boolean {
  const [r, s] = [sig.subarray(0, 32), sig.subarray(32)];
  return compare(r, zero) !== 0 && compare(s, zero) !== 0 && compare(r, order) < 0 && compare(s, half) <= 0;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export const importKey = (spki: Bytes): Promise<CryptoKey> => crypto.subtle.importKey('spki', spki, algorithm, false, ['verify']);
export const verifySig = (key: CryptoKey, sig: Bytes, data: Bytes): Promise<boolean> => crypto.subtle.verify(algorithm, key, sig, data);
export const keyId = (spki: Bytes): string => hex(sha256(spki).subarray(0, 4));

export class Keyring {
  private readonly keys = new Map<string, { key: CryptoKey; of: TrustedKey }[]>();

  static async of(trusted: TrustedKey[]): Promise<Keyring> {
    const ring = new Keyring();
    for (const of of trusted) {
      if (of.from >= of.until) throw new Error('a trusted key has a time from which until when it signs');
      const id = keyId(of.spki);
      ring.keys.set(id, [...(ring.keys.get(id) ?? []), { key: await importKey(of.spki), of }]);
    }
    return ring;
  }

  // verify reads a code at a moment in milliseconds.
  async verify(text: string, at: number): Promise<Read> {
    const e = cut(text);
    if (typeof e === 'string') return { tell: e };
    const key = await this.signer(e);
    if (typeof key === 'string') return { tell: key };
    const claims = decodeClaims(e.payload);
    if (!claims) return { tell: 'malformed' };
    if (!contains(key.region, claims.region) || claims.issued < key.from || claims.issued >= key.until) return { tell: 'forged' };
    if (key.state === 0) return { tell: 'revoked', claims };
    const tell = judge(claims, e, at);
    return { tell, claims, ...proofOf(e, claims) };
  }

  private async signer(e: Envelope): Promise<TrustedKey | 'unknown_key' | 'forged'> {
    const candidates = this.keys.get(e.key);
    if (!candidates) return 'unknown_key';
    if (!canonical(e.sig)) return 'forged';
    const data = signedBytes(e);
    for (const c of candidates) if (await verifySig(c.key, e.sig, data)) return c.of;
    return 'forged';
  }
}

// proofOf reads the slot of a shown credential, and the number it answers.
export function proofOf(e: Envelope, claims: Claims): { slot?: number } {
  if (!e.proof) return {};
  if (e.proof.length === 15) claims.challenge = e.proof[14];
  return { slot: e.proof[0]! * 256 + e.proof[1]! };
}

function judge(c: Claims, e: Envelope, at: number): Tell | '' {
  if ((e.proof !== undefined) !== (c.kind === 'credential')) return 'malformed'; // a bare credential is a stored thing
  if (c.kind === 'specimen') return 'specimen';
  if (at < c.issued * 1000 - skew) return 'not_yet_valid';
  if (at >= c.expires * 1000 + skew) return 'expired';
  return e.proof ? proofTell(c, e.proof, at, skew) : '';
}
