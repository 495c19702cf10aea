// A small strict CBOR reader (RFC 8949) for the signed documents that gates carry: shortest heads, definite lengths, no
// tags, no floats, no key twice; of the simple values only null. Map keys are integers. Numbers over 2^53 are refused.
import type { Bytes } from '../../code/bytes';

export type Value = number | string | Bytes | Value[] | Map<number, Value> | null;

const deepest = 8;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class NotCbor extends Error {}

export function decode(b: Bytes): Value {
  const r = new Reader(b);
  const v = r.value(0);
  if (r.at !== b.length) throw new NotCbor('bytes are left');
  return v;
}

class Reader {
  at = 0;
  private readonly view: DataView;

  constructor(private readonly b: Bytes) {
    this.view = new DataView(b.buffer, b.byteOffset, b.byteLength);
  }

  value(depth: number): Value {
    if (depth > deepest) throw new NotCbor('too deep');
    const first = this.take(1)[0]!;
    if (first === 0xf6) return null;
    const n = this.argument(first & 31);
    switch (first >> 5) {
      case 0: return n;
      case 1: return -1 - n;
      case 2: return this.take(n);
      case 3: return utf8.decode(this.take(n));
      case 4: return Array.from({ length: this.bounded(n) }, () => this.value(depth + 1));
      case 5: return this.map(this.bounded(n), depth);
    }
    throw new NotCbor('a tag or another simple value');
  }

  private map(n: number, depth: number): Map<number, Value> {
    const m = new Map<number, Value>();
    for (let i = 0; i < n; i++) {
      const key = this.value(depth + 1);
      if (typeof key !== 'number' || m.has(key)) throw new NotCbor('a bad key');
      m.set(key, this.value(depth + 1));
    }
    return m;
  }

  // bounded refuses counts that the bytes cannot hold, before anything is allocated.
  private bounded(n: number): number {
    if (n > this.b.length - this.at) throw new NotCbor('a length over the end');
    return n;
  }

  private take(n: number): Bytes {
    const end = this.at + this.bounded(n);
    this.at = end;
    return this.b.subarray(end - n, end);
  }

  private argument(info: number): number {
    if (info < 24) return info;
    if (info > 27) throw new NotCbor('an indefinite length');
    const size = 1 << (info - 24);
    this.take(size);
    const at = this.at - size;
    const n = size === 1 ? this.view.getUint8(at) : size === 2 ? this.view.getUint16(at) : size === 4 ? this.view.getUint32(at)
      : this.view.getUint32(at) * 2 ** 32 + this.view.getUint32(at + 4);
    if (!Number.isSafeInteger(n) || n < [24, 2 ** 8, 2 ** 16, 2 ** 32][info - 24]!) throw new NotCbor('a number that is not in its shortest form');
    return n;
  }
}
