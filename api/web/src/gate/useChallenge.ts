// useChallenge keeps the number that a gate at a high-risk post shows: a new one for each code that carried one, and after three
// minutes in any case.
import { useEffect, useState } from 'preact/hooks';
import { newChallenge } from '../code/challenge';

const idle = 3 * 60_000;

export function useChallenge(asked: boolean): { challenge?: number; renew: () => void } {
  const [drawn, setDrawn] = useState<{ n: number }>();
  const renew = () => setDrawn(asked ? { n: newChallenge() } : undefined);
  useEffect(renew, [asked]);
  useEffect(() => {
    if (!drawn) return;
    const timer = setTimeout(renew, idle);
    return () => clearTimeout(timer);
  }, [drawn]);
  return { challenge: asked ? drawn?.n : undefined, renew };
}
