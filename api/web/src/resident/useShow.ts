// useShow gives the code of this moment: which credential, the link of its slot, and until when it stands.
import { useEffect, useReducer, useRef } from 'preact/hooks';
import { now } from '../lib/clock';
import { canAnswer, pick, save, seen, slotAt, textOf, type Held, type Vault } from './vault';

// Show is what is on the screen. challenge: the number of a gate that it carries, until answered.
export interface Show { held: Held; text: string; until: number; challenge?: number }

export interface Showing {
  show?: Show;
  answered: number; // when the number is let go, 0: there is none
  another: () => void;
  answer: (challenge: number) => void;
}

const answering = 60_000; // milliseconds that a number stays in the code

export function useShow(vault: Vault): Showing {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  const chosen = useRef<Held | undefined>(undefined);
  const shown = useRef<Show | undefined>(undefined);
  const asked = useRef<{ challenge: number; until: number } | undefined>(undefined);

  const choose = (next: boolean): void => {
    const at = now();
    const h = pick(vault, at, next, asked.current !== undefined);
    if (h && h !== chosen.current) h.first = undefined; // a show of its own
    chosen.current = h;
    if (h) {
      seen(h, at);
      void save(vault);
    }
  };

  // release lets the number go. The links of that credential count as used, so another one is shown.
  const release = (): void => {
    asked.current = undefined;
    choose(true);
  };

  const planned = useRef<() => void>(() => {});
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const turn = () => {
      clearTimeout(timer);
      if (asked.current && now() >= asked.current.until) release();
      else if (document.visibilityState === 'visible') choose(asked.current !== undefined && (!chosen.current || !canAnswer(chosen.current, now())));
      draw(0);
      const until = chosen.current ? slotAt(chosen.current, now()).until : now() + 30_000;
      timer = setTimeout(turn, Math.max(100, Math.min(until, asked.current?.until ?? Infinity) - now() + 20));
    };
    planned.current = turn;
    turn();
    document.addEventListener('visibilitychange', turn);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', turn);
    };
  }, [vault]);

  const h = chosen.current;
  const challenge = asked.current?.challenge;
  if (!h || now() >= h.expires || (challenge !== undefined && !canAnswer(h, now()))) {
    shown.current = undefined;
  } else {
    const { slot, until } = slotAt(h, now());
    const s = shown.current;
    if (s?.held !== h || s.until !== until || s.challenge !== challenge) shown.current = { held: h, text: textOf(h, slot, challenge), until, challenge };
  }
  return {
    show: shown.current, answered: asked.current?.until ?? 0,
    another: () => { release(); draw(0); },
    answer: (n) => {
      asked.current = { challenge: n, until: now() + answering };
      planned.current();
    },
  };
}
