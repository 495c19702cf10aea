// Cursor reads canonical CBOR from the front of a byte string. After the first fault bad stays true and every read gives
// nothing. There is one encoding of a code, so most of it is compared and not interpreted.
import { same, type Bytes } from './bytes';

const none = new Uint8Array(0);

export class Cursor {
  at = 0;
  bad = false;

  constructor(private readonly b: Bytes) {}

  get left(): number { return this.b.length - this.at; }
  get next(): number | undefined { return this.b[this.at]; }

  take(n: number): Bytes {
    if (this.bad || this.left < n) {
      this.bad = true;
      return none;
    }
    this.at += n;
    return this.b.subarray(this.at - n, this.at);
  }

  literal(want: Bytes): void {
    const got = this.take(want.length);
    if (!same(got, want)) this.bad = true;
  }

  // head reads a head of the major type with an argument of at most 32 bits in its shortest form.
  head(major: number): number {
    const h = this.take(1)[0];
    if (h === undefined || h >> 5 !== major) return this.fail();
    switch (h & 31) {
      case 24: return this.argument(1, 24);
      case 25: return this.argument(2, 1 << 8);
      case 26: return this.argument(4, 1 << 16);
      case 27: case 28: case 29: case 30: case 31: return this.fail();
    }
    return h & 31;
  }

  private argument(size: number, least: number): number {
    const n = this.take(size).reduce((sum, v) => sum * 256 + v, 0);
    return n < least ? this.fail() : n;
  }

  private fail(): number {
    this.bad = true;
    return 0;
  }
}

// head writes a head of the major type in its shortest form, n below 2^32.
export function head(major: number, n: number): number[] {
  const m = major << 5;
  if (n < 24) return [m | n];
  if (n < 1 << 8) return [m | 24, n];
  if (n < 1 << 16) return [m | 25, n >> 8, n & 255];
  return [m | 26, n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
}
