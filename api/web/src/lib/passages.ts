import type { ByHour, Passage, Verdict } from './types';

// passageOf is the passage that a verdict just made, as the server's list will have it.
export function passageOf(v: Verdict, gate: string): Passage {
  return { event: v.event, at: v.at, gate, district: '', told: v.told, colour: v.colour, decision: v.decision, reason: v.reason };
}

// merge joins lists of passages, each event once, newest first, at most the given number.
export function merge(a: Passage[], b: Passage[], most: number): Passage[] {
  const byEvent = new Map([...a, ...b].map((p) => [p.event, p]));
  return [...byEvent.values()].sort((p, q) => Date.parse(q.at) - Date.parse(p.at)).slice(0, most);
}

const hour = 3_600_000;

// hours gives the count of every full hour from since until until, those without passages too. Hour keys are RFC 3339.
export function hours(a: ByHour): { at: number; count: number }[] {
  const counts = new Map<number, number>();
  for (const row of a.rows ?? []) {
    const at = Date.parse(row.keys[0] ?? '');
    if (!Number.isNaN(at)) counts.set(at, (counts.get(at) ?? 0) + row.count);
  }
  const first = Math.floor(Date.parse(a.since) / hour) * hour;
  const out: { at: number; count: number }[] = [];
  for (let at = first; at < Date.parse(a.until) && out.length < 24 * 31; at += hour) out.push({ at, count: counts.get(at) ?? 0 });
  return out;
}

// steps gives round marks for an axis from 0 to at least most.
export function steps(most: number): number[] {
  const raw = Math.max(1, most / 4);
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= raw)!;
  const n = Math.max(1, Math.ceil(most / step));
  return Array.from({ length: n + 1 }, (_, i) => i * step);
}
