// retry calls f until it succeeds, gives up, or fails for a reason that trying again cannot mend. waits are the pauses
// between the tries in milliseconds, so there are waits.length + 1 tries.
export async function retry<T>(
  f: () => Promise<T>,
  again: (err: unknown) => boolean,
  waits: number[],
  sleep: (ms: number) => Promise<void> = (ms) => new Promise((done) => setTimeout(done, ms)),
): Promise<T> {
  for (let i = 0; ; i++) {
    try {
      return await f();
    } catch (err) {
      const wait = waits[i];
      if (wait === undefined || !again(err)) throw err;
      await sleep(wait);
    }
  }
}
