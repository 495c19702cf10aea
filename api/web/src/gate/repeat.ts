// Repeat tells a code that is still in view from a new one: the phone of the person who has just been scanned stays before
// the camera for a moment and must not be counted again.
export class Repeat {
  private text = '';
  private seen = -Infinity;

  constructor(private readonly quiet = 3000) {}

  // fresh reports whether text, read at a time in milliseconds, should be scanned. Each sight of the same code renews the wait.
  fresh(text: string, at: number): boolean {
    const again = text === this.text && at - this.seen < this.quiet;
    this.text = text;
    this.seen = at;
    return !again;
  }
}
