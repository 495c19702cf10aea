// What a gate's device remembers between days: the gate it stands at, the direction, and whether it is muted.
import type { Gate } from '../lib/types';
import type { Settings } from './useScan';

const key = 'kangma.gate';

// kept gives the remembered settings; a gate that this account may not use is forgotten.
export function kept(gates: Gate[]): Settings {
  let s: Partial<Settings> = {};
  try { s = (JSON.parse(localStorage.getItem(key) ?? '{}') ?? {}) as Partial<Settings>; } catch { /* unreadable: start anew */ }
  return {
    gate: gates.some((g) => g.id === s.gate) ? s.gate! : gates[0]!.id,
    direction: s.direction === 'in' || s.direction === 'out' ? s.direction : '',
    muted: s.muted === true,
  };
}

export function keep(s: Settings): void {
  try { localStorage.setItem(key, JSON.stringify(s)); } catch { /* asked again tomorrow */ }
}
