// When the code page asks for the next code.

// nextAsk gives the wait in milliseconds before asking again. After an answer: at its refresh time, spread by up to a
// third of the time left so that a city's phones do not ask in the same second. After failures: 3 s, doubling to 30 s at
// most, spread the same way. random is in [0, 1).
export function nextAsk(now: number, refreshAt: number, failures: number, random: number): number {
  if (failures > 0) {
    const wait = Math.min(30_000, 3000 * 2 ** (failures - 1));
    return Math.round(wait * (1 + random / 3));
  }
  const left = Math.max(0, refreshAt - now);
  return Math.max(2000, Math.round(left + (left / 3) * random));
}
