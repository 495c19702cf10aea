import { describe, expect, it } from 'vitest';
import { uuidv7 } from '../src/lib/uuidv7';

describe('uuidv7', () => {
  it('is the example of RFC 9562, appendix A.6', () => {
    // unix_ts_ms 0x017F22E279B0, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F
    const fill = (b: Uint8Array) => { b.set([0, 0, 0, 0, 0, 0, 0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]); return b; };
    expect(uuidv7(0x017f22e279b0, fill)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
  });
  it('sorts by time', () => {
    const ids = [1, 2, 255, 256, 65_536, 1_700_000_000_000, 1_700_000_000_001].map((ms) => uuidv7(ms));
    expect([...ids].sort()).toEqual(ids);
  });
  it('is lower case, version 7, variant 2, and never the same twice', () => {
    const ids = Array.from({ length: 500 }, () => uuidv7(1_700_000_000_000));
    expect(new Set(ids).size).toBe(500);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
