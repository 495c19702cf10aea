// The status list: a filter of codes that are no longer what they say. A miss is certain; a hit means "check online".
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Bytes } from '../../code/bytes';
import { fieldsOf, openDocument, Refused } from './document';
import { checkNumbered, type Numbered } from './numbered';

const mostListed = 4 << 20;

export class StatusList implements Numbered {
  constructor(readonly number: number, readonly issued: number, readonly expires: number, private readonly salt: Bytes, private readonly width: number, private readonly values: Float64Array) {}

  get length(): number { return this.values.length; }

  // hit reports whether the code (its id in bytes) may be on the list.
  hit(id: Bytes): boolean {
    const want = this.hash(id);
    let [low, high] = [0, this.values.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.values[middle]! < want) low = middle + 1; else high = middle;
    }
    return this.values[low] === want;
  }

  private hash(id: Bytes): number {
    const sum = hmac(sha256, this.salt, id);
    let n = 0;
    for (let i = 0; i < this.width; i++) n = n * 2 + ((sum[i >> 3]! >> (7 - (i & 7))) & 1);
    return n;
  }
}

// openStatusList verifies a signed list. An expired one is refused with status_list_expired.
export async function openStatusList(data: Bytes, pins: Bytes[], at: number): Promise<StatusList> {
  const f = fieldsOf(await openDocument(data, 'application/vnd.kangma.status-list+cbor', pins), [4, 6, -65538, -65540, -65541, -65542, -65543]);
  const [expires, issued, number] = [f.int(4), f.int(6), f.int(-65538)];
  checkNumbered('status_list', { number, issued, expires }, at);
  const [salt, width, count] = [f.bytes(-65540), f.int(-65541), f.int(-65542)];
  if (salt.length !== 8 || width < 20 || width > 48 || count < 0 || count > mostListed) throw new Refused('document_malformed');
  const values = unpackSorted(f.bytes(-65543), count, width);
  if (!values) throw new Refused('document_malformed');
  return new StatusList(number, issued, expires, salt, width, values);
}

// unpackSorted reads rising values as Golomb-Rice coded gaps; undefined for anything but what the packer writes.
export function unpackSorted(packed: Bytes, n: number, width: number): Float64Array | undefined {
  if (n > packed.length * 8) return undefined;
  const k = n === 0 ? 0 : Math.max(0, width - (Math.floor(Math.log2(n)) + 1));
  const most = 2 ** width;
  const end = packed.length * 8;
  const values = new Float64Array(n);
  let pos = 0;
  let last = -1;
  const bit = () => (packed[pos >> 3]! >> (7 - (pos & 7))) & 1;
  for (let i = 0; i < n; i++) {
    let gap = 0;
    while (pos < end && bit() === 1) {
      gap++;
      pos++;
    }
    pos++; // the zero
    for (let j = 0; j < k; j++, pos++) {
      if (pos >= end) return undefined;
      gap = gap * 2 + bit();
    }
    const v = last + 1 + gap;
    if (pos > end || v >= most) return undefined;
    values[i] = v;
    last = v;
  }
  if (packed.length !== Math.floor((pos + 7) / 8)) return undefined;
  for (; pos % 8 !== 0; pos++) if (bit() !== 0) return undefined;
  return values;
}
