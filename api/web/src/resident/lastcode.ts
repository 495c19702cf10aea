// The last code is kept on the resident's own phone, so that a dead network still leaves something to show. It is
// forgotten at log-out.
import type { CodeView } from '../lib/types';

const key = 'kangma.lastcode';

export interface Kept { view: CodeView; received: number } // received: server's time in milliseconds

export function keep(k: Kept): void {
  try { localStorage.setItem(key, JSON.stringify(k)); } catch { /* storage full or forbidden: nothing to show offline */ }
}

export function kept(): Kept | undefined {
  try {
    const k = JSON.parse(localStorage.getItem(key) ?? 'null') as Kept | null;
    return k && typeof k.received === 'number' && typeof k.view?.told === 'boolean' ? k : undefined;
  } catch { return undefined; }
}

export function forget(): void {
  try { localStorage.removeItem(key); } catch { /* nothing was kept */ }
}
