// Small shared hooks.
import { useEffect, useState } from 'preact/hooks';
import { now } from '../lib/clock';

// useNow gives the server's time and redraws every period milliseconds.
export function useNow(period: number): number {
  const [at, set] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => set(now()), period);
    return () => clearInterval(timer);
  }, [period]);
  return at;
}

// useWakeLock keeps the screen on while wanted, where the browser can.
export function useWakeLock(wanted: boolean): void {
  useEffect(() => {
    if (!wanted || !('wakeLock' in navigator)) return;
    let lock: WakeLockSentinel | undefined;
    let gone = false;
    const ask = () => {
      if (document.visibilityState !== 'visible') return;
      navigator.wakeLock.request('screen').then((l) => {
        if (gone) void l.release(); else lock = l;
      }, () => { /* refused (low battery): the screen dims as usual */ });
    };
    ask();
    document.addEventListener('visibilitychange', ask);
    return () => {
      gone = true;
      document.removeEventListener('visibilitychange', ask);
      void lock?.release();
    };
  }, [wanted]);
}

// useTask runs one asynchronous action at a time and keeps its failure.
export function useTask(): { busy: boolean; error: unknown; run: (f: () => Promise<void>) => void; clear: () => void } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = (f: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    setError(undefined);
    f().catch(setError).finally(() => setBusy(false));
  };
  return { busy, error, run, clear: () => setError(undefined) };
}
