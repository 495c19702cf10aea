// useShow gives the code of this moment: which credential, the link of its slot, and until when it stands.
import { useEffect, useReducer, useRef } from 'preact/hooks';
import { now } from '../lib/clock';
import { pick, save, seen, slotAt, textOf, type Held, type Vault } from './vault';

export interface Show { held: Held; text: string; until: number }

export function useShow(vault: Vault): { show?: Show; another: () => void } {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  const chosen = useRef<Held | undefined>(undefined);
  const shown = useRef<Show | undefined>(undefined);

  const choose = (next: boolean): void => {
    const at = now();
    const h = pick(vault, at, next);
    if (h && h !== chosen.current) h.first = undefined; // a show of its own
    chosen.current = h;
    if (h) {
      seen(h, at);
      void save(vault);
    }
  };

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const turn = () => {
      clearTimeout(timer);
      if (document.visibilityState === 'visible') choose(false);
      draw(0);
      const until = chosen.current ? slotAt(chosen.current, now()).until : now() + 30_000;
      timer = setTimeout(turn, Math.max(100, until - now() + 20));
    };
    turn();
    document.addEventListener('visibilitychange', turn);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', turn);
    };
  }, [vault]);

  const h = chosen.current;
  if (!h || now() >= h.expires) {
    shown.current = undefined;
  } else {
    const { slot, until } = slotAt(h, now());
    if (shown.current?.held !== h || shown.current.until !== until) shown.current = { held: h, text: textOf(h, slot), until };
  }
  return { show: shown.current, another: () => { choose(true); draw(0); } };
}
