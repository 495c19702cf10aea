// Division codes of GB/T 2260 as one number of nine digits, county and street, as the server holds them.

// parseDivision reads 2, 4, 6 or 9 digits; undefined for anything else.
export function parseDivision(s: string): number | undefined {
  if (!/^(\d{2}|\d{4}|\d{6}|\d{9})$/.test(s)) return undefined;
  const n = Number(s.padEnd(9, '0'));
  return rank(n) === 0 ? undefined : n;
}

// rank: 0 none, 1 province, 2 city, 3 county, 4 street.
export function rank(d: number): number {
  if (d < 110_000_000 || d > 999_999_999) return 0;
  if (d % 1000 !== 0) return 4;
  if (d % 100_000 !== 0) return 3;
  return d % 10_000_000 !== 0 ? 2 : 1;
}

const unit = [0, 10_000_000, 100_000, 1000, 1];

// contains reports whether e is d or lies inside d.
export function contains(d: number, e: number): boolean {
  const r = rank(d);
  return r !== 0 && rank(e) >= r && Math.floor(e / unit[r]!) * unit[r]! === d;
}
