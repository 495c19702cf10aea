// A hand scanner that plugs in as a keyboard types the code in a burst and ends with Enter.
const gap = 120; // milliseconds between two keys of one burst
const least = 8; // characters of the shortest thing worth sending

// Wedge collects one burst. It is pure: times are arguments.
export class Wedge {
  private text = '';
  private last = -Infinity;

  // key takes one key press. It gives the code when a burst has ended, '' while one runs, and undefined for ordinary typing.
  key(name: string, at: number): string | undefined {
    const running = at - this.last < gap;
    if (name === 'Enter') {
      const text = running ? this.text : '';
      this.text = '';
      return text.length >= least ? text : undefined;
    }
    if (name.length !== 1) return undefined; // Shift and its like
    this.text = running ? this.text + name : name;
    this.last = at;
    return this.text.length > 1 ? '' : undefined;
  }
}

// listenToWedge calls found for every burst typed outside a text field, and keeps it from pressing buttons.
export function listenToWedge(found: (code: string) => void): () => void {
  const wedge = new Wedge();
  let swallow = false;
  const inField = (e: KeyboardEvent) => e.target instanceof HTMLInputElement || e.target instanceof HTMLTextAreaElement || e.target instanceof HTMLSelectElement;
  const down = (e: KeyboardEvent) => {
    if (inField(e) || e.ctrlKey || e.metaKey || e.altKey) return;
    const code = wedge.key(e.key, performance.now());
    swallow = code !== undefined;
    if (!swallow) return;
    e.preventDefault();
    e.stopPropagation();
    if (code) found(code);
  };
  const up = (e: KeyboardEvent) => {
    if (swallow && (e.key === ' ' || e.key === 'Enter')) e.preventDefault();
  };
  document.addEventListener('keydown', down, true);
  document.addEventListener('keyup', up, true);
  return () => {
    document.removeEventListener('keydown', down, true);
    document.removeEventListener('keyup', up, true);
  };
}
