// useCode keeps the shown code fresh while the page is open and visible.
import { useEffect, useRef, useState } from 'preact/hooks';
import { call, Problem } from '../lib/api';
import { now } from '../lib/clock';
import type { CodeView } from '../lib/types';
import { keep, kept, type Kept } from './lastcode';
import { nextAsk } from './schedule';

export interface Shown {
  last?: Kept;     // the newest code known
  error?: unknown; // why the newest attempt failed; the code may be old
  next: number;    // server's time of the next attempt
  refresh: () => void;
}

export function useCode(onLoggedOut: () => void): Shown {
  const [last, setLast] = useState<Kept | undefined>(kept);
  const [error, setError] = useState<unknown>();
  const [next, setNext] = useState(0);
  const ask = useRef<() => void>(() => {});

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let asking = false;
    let gone = false;

    const plan = (refreshAt: number) => {
      const wait = nextAsk(now(), refreshAt, failures, Math.random());
      setNext(now() + wait);
      clearTimeout(timer);
      timer = setTimeout(run, wait);
    };
    const run = () => {
      if (asking || gone || document.visibilityState !== 'visible') return;
      asking = true;
      call<CodeView>('GET', '/v1/me/code').then((view) => {
        if (gone) return;
        failures = 0;
        const k = { view, received: now() };
        keep(k);
        setLast(k);
        setError(undefined);
        plan(Date.parse(view.refresh_at));
      }, (err: unknown) => {
        if (gone) return;
        if (err instanceof Problem && err.status === 401) return onLoggedOut();
        failures++;
        setError(err);
        plan(0);
      }).finally(() => { asking = false; });
    };
    ask.current = run;
    run();
    // A page that comes back to the front, or a network that comes back, asks at once.
    document.addEventListener('visibilitychange', run);
    window.addEventListener('online', run);
    return () => {
      gone = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', run);
      window.removeEventListener('online', run);
    };
  }, []);

  return { last, error, next, refresh: () => ask.current() };
}
