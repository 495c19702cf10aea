// What a verdict looks and sounds like. The word and the shape say what to do; the fill is the colour of the code. Only a
// green code that passes is filled green: a green code that is held fills yellow, and where no colour could be told the
// screen is grey, which is no colour of a code.
import type { Key } from '../i18n';
import type { Verdict } from '../lib/types';
import type { Signal } from '../lib/tone';
import type { ShapeName } from '../ui/Shape';

export interface Look { fill: 'green' | 'yellow' | 'red' | 'grey'; word: Key; shape: ShapeName; signal: Signal; next: number }

// next is the time in milliseconds after which the page is ready for the next code by itself; 0: staff must say so.
export function lookOf(v: Verdict): Look {
  switch (v.decision) {
    case 'pass':
      if (!v.told) break; // a server of ours never says this; the barrier stays shut all the same
      return { fill: v.colour ?? 'grey', word: 'verdict.go', shape: 'circle', signal: 'go', next: 1800 };
    case 'home-isolate':
    case 'central-isolate':
    case 'turn-back':
      return { fill: held(v), word: 'verdict.stop', shape: 'octagon', signal: 'stop', next: 0 };
  }
  return { fill: held(v), word: 'verdict.check', shape: 'triangle', signal: 'check', next: 0 };
}

const held = (v: Verdict): Look['fill'] => (!v.told || !v.colour ? 'grey' : v.colour === 'green' ? 'yellow' : v.colour);
