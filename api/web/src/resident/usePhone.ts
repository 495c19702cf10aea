// usePhone keeps the phone's credentials and what the server says of the person fresh, while the page is open and visible.
// Nothing that is shown waits for it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { call, Problem } from '../lib/api';
import { backoff } from '../lib/backoff';
import { now } from '../lib/clock';
import type { CodeView } from '../lib/types';
import { draw } from './draw';
import { askAgain, due, hear, lent, save, stored, type Lent, type Vault } from './vault';

export interface Phone {
  vault: Vault;
  lent?: Lent; // the server's own code, where the phone has none and cannot draw
  error?: unknown; // why the newest attempt to reach the server failed
  next: number; // server's time of the next attempt
  refresh: () => void;
}

export function usePhone(first: Vault, onLoggedOut: () => void): Phone {
  const [vault, setVault] = useState(first);
  const [code, setCode] = useState<Lent | undefined>();
  const [error, setError] = useState<unknown>();
  const [next, setNext] = useState(0);
  const ask = useRef<(asked: boolean) => void>(() => {});

  useEffect(() => {
    let mine = first;
    let last: Lent | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let busy = false;
    let gone = false;

    const put = async (v: Vault) => {
      if (gone) return; // logged out meanwhile: nothing may come back
      mine = v;
      setVault(v);
      await save(v);
    };
    const plan = (wait: number) => {
      setNext(now() + wait);
      clearTimeout(timer);
      timer = setTimeout(() => void run(), wait);
    };
    const renew = async (asked: boolean) => {
      const view = await call<CodeView>('GET', '/v1/me/code');
      await put(hear(mine, view, now()));
      const old = view.told && last && last.colour === view.colour ? last : undefined; // shown to its end while its successor is drawn
      setCode(last = lent(mine, view, now()) ?? old);
      if (!view.told || view.as_of || !due(mine, now(), asked)) return; // none are drawn while the register does not answer
      const { chains, answer } = await draw();
      if (!answer.told) return;
      await put(stored(mine, answer, chains, now(), Math.random()));
      void navigator.storage?.persist?.();
    };
    const run = async (asked = false) => {
      if (busy || gone || document.visibilityState !== 'visible') return;
      busy = true;
      try {
        await renew(asked);
        failures = 0;
        setError(undefined);
        plan(askAgain(mine, mine.view?.as_of ? last : undefined, now(), Math.random()));
      } catch (err) {
        if (gone) return;
        if (err instanceof Problem && err.status === 401) return onLoggedOut();
        failures++;
        setError(err);
        plan(backoff(failures, err instanceof Problem ? err.retryAfter : 0, Math.random()));
      } finally {
        busy = false;
      }
    };
    ask.current = (asked) => void run(asked);
    void run();
    // A page that comes back to the front asks when it is a while since; a network that comes back, or goes, is noticed at once.
    const front = () => { if (now() - mine.heard > 60_000) void run(); };
    const back = () => void run();
    document.addEventListener('visibilitychange', front);
    window.addEventListener('online', back);
    window.addEventListener('offline', back);
    return () => {
      gone = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', front);
      window.removeEventListener('online', back);
      window.removeEventListener('offline', back);
    };
  }, []);

  return { vault, lent: code, error, next, refresh: () => ask.current(true) };
}
