// backoff gives the wait in milliseconds before trying again after a number of failures: anywhere up to 2 s, doubling to a
// minute at most ("full jitter"), after the time the server asked for. random is in [0, 1).
export function backoff(failures: number, retryAfter: number, random: number): number {
  const most = Math.min(60_000, 2000 * 2 ** Math.max(0, failures - 1));
  return retryAfter * 1000 + Math.max(300, Math.round(most * random));
}
