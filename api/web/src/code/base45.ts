// Base45 (RFC 9285), read strictly: each byte string has exactly one text.
import type { Bytes } from './bytes';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';

export function encode45(b: Uint8Array): string {
  let out = '';
  for (let i = 0; i < b.length; i += 2) {
    const pair = i + 1 < b.length;
    const n = pair ? b[i]! * 256 + b[i + 1]! : b[i]!;
    out += alphabet[n % 45]! + alphabet[Math.floor(n / 45) % 45]! + (pair ? alphabet[Math.floor(n / 2025)]! : '');
  }
  return out;
}

// decode45 gives undefined for characters outside the alphabet, lengths that no encoder makes and groups over their range.
export function decode45(text: string): Bytes | undefined {
  if (text.length % 3 === 1) return undefined;
  const out = new Uint8Array(Math.floor(text.length / 3) * 2 + (text.length % 3 === 2 ? 1 : 0));
  let at = 0;
  for (let i = 0; i < text.length; i += 3) {
    const group = [...text.slice(i, i + 3)].map((c) => alphabet.indexOf(c));
    if (group.includes(-1)) return undefined;
    const n = group[0]! + group[1]! * 45 + (group[2] ?? 0) * 2025;
    if (n > (group.length === 3 ? 0xffff : 0xff)) return undefined;
    if (group.length === 3) out[at++] = n >> 8;
    out[at++] = n & 0xff;
  }
  return out;
}
