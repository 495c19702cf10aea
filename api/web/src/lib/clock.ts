// The server's clock as this device can tell it. A phone whose own clock is wrong must not show a wrong time beside a
// code, and must not name events in the future.
const key = 'kangma.skew';
let skew = kept(); // milliseconds to add to the device's clock

// kept is what was learned last: a phone whose clock is wrong is mostly as wrong tomorrow, when there may be no network.
function kept(): number {
  try { return Number(localStorage.getItem(key)) || 0; } catch { return 0; }
}

// learn takes the Date header of an answer. It has whole seconds, cut off: the result is up to a second late, never early.
export function learn(date: string | null, received: number): void {
  const at = date ? Date.parse(date) : NaN;
  if (Number.isNaN(at)) return;
  skew = at - received;
  try {
    if (Math.abs(skew) < 2000) localStorage.removeItem(key); else localStorage.setItem(key, String(skew));
  } catch { /* learned again next time */ }
}

// now is the server's time in milliseconds; a skew under two seconds is only the rounding of the header.
export function now(): number {
  return Date.now() + (Math.abs(skew) < 2000 ? 0 : skew);
}

// skewSeconds says how far the device's clock is off; 0 when it is good.
export const skewSeconds = (): number => (Math.abs(skew) < 2000 ? 0 : Math.round(-skew / 1000));
