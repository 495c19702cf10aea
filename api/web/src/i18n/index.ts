// The page's language: chosen once, kept on the device, and changed everywhere at once.
import { useEffect, useState } from 'preact/hooks';
import { en } from './en';
import { zh, type Key } from './zh';

export type Lang = 'zh' | 'en';
export type { Key };

// Text is a sentence in both languages, as the server sends it.
export interface Text { zh: string; en: string }

const catalogues: Record<Lang, Record<Key, string>> = { zh, en };
const storageKey = 'kangma.lang';
const listeners = new Set<() => void>();
let current: Lang = initial();

function initial(): Lang {
  try {
    const kept = localStorage.getItem(storageKey);
    if (kept === 'zh' || kept === 'en') return kept;
  } catch { /* storage may be forbidden: then the browser's language decides */ }
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

// lang gives the language in use.
export const lang = (): Lang => current;

// setLang changes the language of every mounted part.
export function setLang(next: Lang): void {
  current = next;
  try { localStorage.setItem(storageKey, next); } catch { /* not kept, still changed */ }
  applyLang();
  listeners.forEach((f) => f());
}

// applyLang tells the browser (and screen readers) which language the page is in.
export function applyLang(): void {
  document.documentElement.lang = current === 'zh' ? 'zh-CN' : 'en';
}

// translate fills {name} in the text of a key.
export function translate(l: Lang, key: Key, params: Record<string, string | number> = {}): string {
  return catalogues[l][key].replace(/\{(\w+)\}/g, (whole, name: string) => (name in params ? String(params[name]) : whole));
}

// t speaks the language in use.
export const t = (key: Key, params?: Record<string, string | number>): string => translate(current, key, params);

// say picks the sentence of the language in use, or the other one where it is missing.
export function say(text: Text | undefined): string {
  if (!text) return '';
  return (current === 'zh' ? text.zh || text.en : text.en || text.zh) ?? '';
}

// useLang redraws its component when the language changes.
export function useLang(): Lang {
  const [l, set] = useState(current);
  useEffect(() => {
    const f = () => set(current);
    listeners.add(f);
    return () => { listeners.delete(f); };
  }, []);
  return l;
}
