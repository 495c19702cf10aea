// Short sounds and vibrations, one set for each outcome, once per scan, so that staff need not look at the screen.
export type Signal = 'go' | 'check' | 'stop' | 'shut';

interface Beep { hz: number; at: number; for: number } // seconds

const beeps: Record<Signal, Beep[]> = {
  go: [{ hz: 880, at: 0, for: 0.09 }, { hz: 1320, at: 0.1, for: 0.14 }],
  check: [{ hz: 620, at: 0, for: 0.13 }, { hz: 620, at: 0.2, for: 0.13 }],
  stop: [{ hz: 240, at: 0, for: 0.55 }],
  shut: [{ hz: 240, at: 0, for: 0.16 }, { hz: 180, at: 0.2, for: 0.16 }, { hz: 130, at: 0.4, for: 0.25 }],
};

const shakes: Record<Signal, number[]> = { go: [60], check: [90, 70, 90], stop: [400], shut: [120, 60, 120, 60, 240] };

let audio: AudioContext | undefined;

// wakeSound must be called from a tap: browsers keep sound off until then.
export function wakeSound(): void {
  try {
    audio ??= new AudioContext();
    if (audio.state === 'suspended') void audio.resume();
  } catch { /* no sound here: colour, word, shape and vibration remain */ }
}

export function signal(s: Signal, muted: boolean): void {
  navigator.vibrate?.(shakes[s]);
  if (muted || !audio || audio.state !== 'running') return;
  const start = audio.currentTime + 0.01;
  for (const b of beeps[s]) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = b.hz;
    tone.type = s === 'go' ? 'sine' : 'square';
    volume.gain.setValueAtTime(0.25, start + b.at);
    volume.gain.exponentialRampToValueAtTime(0.001, start + b.at + b.for);
    tone.connect(volume).connect(audio.destination);
    tone.start(start + b.at);
    tone.stop(start + b.at + b.for + 0.02);
  }
}
