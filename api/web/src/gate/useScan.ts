// useScan is the one path of a code to its verdict: send, send again under the same event id while nothing is known, and
// show either a verdict or a shut barrier. It takes one code at a time.
import { useRef, useState } from 'preact/hooks';
import { Problem } from '../lib/api';
import { OneEvent } from '../lib/oneevent';
import { submit } from '../lib/submit';
import { signal } from '../lib/tone';
import type { Verdict } from '../lib/types';
import { lookOf } from './look';

export type Scan =
  | { step: 'ready' }
  | { step: 'sending' }
  | { step: 'verdict'; verdict: Verdict }
  | { step: 'shut'; error: unknown }; // nothing was decided

export interface Settings { gate: string; direction: string; muted: boolean }

interface Props { settings: Settings; onVerdict: (v: Verdict) => void; onLoggedOut: () => void }

export function useScan({ settings, onVerdict, onLoggedOut }: Props) {
  const [scan, setScan] = useState<Scan>({ step: 'ready' });
  const current = useRef<{ event: OneEvent; body: Record<string, unknown> } | undefined>(undefined);
  const busy = useRef(false);
  const round = useRef(0);

  const send = async () => {
    if (busy.current || !current.current) return;
    busy.current = true;
    const mine = ++round.current;
    setScan({ step: 'sending' });
    try {
      const verdict = await submit<Verdict>(current.current.event, '/v1/scans', current.current.body, 'event', [400, 1200]);
      if (mine !== round.current) return;
      setScan({ step: 'verdict', verdict });
      signal(lookOf(verdict).signal, settings.muted);
      onVerdict(verdict);
    } catch (error) {
      if (mine !== round.current) return;
      if (error instanceof Problem && error.status === 401) return onLoggedOut();
      setScan({ step: 'shut', error });
      signal('shut', settings.muted);
    } finally {
      busy.current = false;
    }
  };

  // start takes a new code; a scan that is still under way is finished first.
  const start = (code: string, temperature?: number) => {
    if (busy.current || code.trim() === '') return;
    current.current = {
      event: new OneEvent(),
      body: { code, gate: settings.gate, ...(settings.direction && { direction: settings.direction }), ...(temperature && { temperature }) },
    };
    void send();
  };
  const next = () => {
    if (busy.current) return;
    current.current = undefined;
    setScan({ step: 'ready' });
  };
  return { scan, start, next, again: () => void send() };
}
