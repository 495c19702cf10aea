// The number of two digits that a gate at a high-risk post shows and the next code carries (docs/code-format.md section 4).
import { sha256 } from '@noble/hashes/sha2.js';
import { ascii, concat, type Bytes } from './bytes';

export const ahead = 3; // the link in an answer is of the third slot from the one it is shown in

export const validChallenge = (n: number): boolean => Number.isInteger(n) && n >= 10 && n <= 99;

// newChallenge draws one of the 90 numbers, each alike.
export function newChallenge(): number {
  for (;;) {
    const n = crypto.getRandomValues(new Uint8Array(1))[0]!;
    if (n < 180) return 10 + (n % 90);
  }
}

// veil hides or uncovers the link of an answer, so that its number cannot be changed alone.
export function veil(nonce: Bytes, slot: number, challenge: number, link: Bytes): Bytes {
  const mask = sha256(concat(ascii('KM1 answer'), nonce, Uint8Array.of(slot >> 8, slot & 255, challenge)));
  return link.map((b, i) => b ^ mask[i]!);
}
