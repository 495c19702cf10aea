// useScan is the one path of a code to its verdict: ask the server, again under the same event id while nothing is known, or
// decide here where it cannot be reached and the device has a list; show either a verdict or a shut barrier. One code at a time.
import { useRef, useState } from 'preact/hooks';
import { call, Problem, unreached } from '../lib/api';
import { OneEvent } from '../lib/oneevent';
import { submit } from '../lib/submit';
import { signal } from '../lib/tone';
import type { Verdict } from '../lib/types';
import { lookOf } from './look';
import type { Post } from './offline/post';

export type Scan =
  | { step: 'ready' }
  | { step: 'sending' }
  | { step: 'verdict'; verdict: Verdict }
  | { step: 'shut'; error: unknown }; // nothing was decided

export interface Settings { gate: string; direction: string; muted: boolean }

interface Props { settings: Settings; post?: Post; onVerdict: (v: Verdict) => void; onLoggedOut: () => void }

interface Body { code: string; gate: string; direction?: 'in' | 'out'; temperature?: number; challenge?: number }

const patience = 3000; // milliseconds that a server gets where the device can decide too

export function useScan({ settings, post, onVerdict, onLoggedOut }: Props) {
  const [scan, setScan] = useState<Scan>({ step: 'ready' });
  const current = useRef<{ event: OneEvent; body: Body } | undefined>(undefined);
  const busy = useRef(false);
  const round = useRef(0);

  const send = async () => {
    if (busy.current || !current.current) return;
    busy.current = true;
    const mine = ++round.current;
    setScan({ step: 'sending' });
    try {
      const verdict = await decide(current.current.event, current.current.body, post);
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
  const start = (code: string, temperature?: number, challenge?: number) => {
    if (busy.current || code.trim() === '') return;
    const direction = settings.direction as '' | 'in' | 'out';
    current.current = { event: new OneEvent(), body: { code, gate: settings.gate, ...(direction && { direction }), ...(temperature && { temperature }), ...(challenge && { challenge }) } };
    void send();
  };
  const next = () => {
    if (busy.current) return;
    current.current = undefined;
    setScan({ step: 'ready' });
  };
  return { scan, start, next, again: () => void send() };
}

// decide asks the server, or the device's own list. A scan whose answer was lost is decided here under the same event id, so
// that the server, which may have it already, counts it once.
async function decide(event: OneEvent, body: Body, post?: Post): Promise<Verdict> {
  if (!post?.able || post.id !== body.gate) return submit<Verdict>(event, '/v1/scans', { ...body }, 'event', [400, 1200]);
  const id = event.idFor(body);
  if (!post.offline) {
    try {
      return await call<Verdict>('POST', '/v1/scans', { ...body, event: id }, patience);
    } catch (err) {
      if (!unreached(err)) throw err;
      post.lost();
    }
  }
  return post.decide({ event: id, code: body.code, direction: body.direction, temperature: body.temperature && Math.round(body.temperature * 10), challenge: body.challenge });
}
