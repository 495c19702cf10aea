// The server's clock as this device can tell it. A phone whose own clock is wrong must not show a wrong time beside a
// code, and must not name events in the future.
let skew = 0; // milliseconds to add to the device's clock

// learn takes the Date header of an answer. It has whole seconds, cut off: the result is up to a second late, never early.
export function learn(date: string | null, received: number): void {
  const at = date ? Date.parse(date) : NaN;
  if (!Number.isNaN(at)) skew = at - received;
}

// now is the server's time in milliseconds; a skew under two seconds is only the rounding of the header.
export function now(): number {
  return Date.now() + (Math.abs(skew) < 2000 ? 0 : skew);
}

// skewSeconds says how far the device's clock is off; 0 when it is good.
export const skewSeconds = (): number => (Math.abs(skew) < 2000 ? 0 : Math.round(-skew / 1000));
