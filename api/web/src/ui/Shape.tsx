// The shapes that go with the colours, so that nobody has to see colour: circle, triangle, octagon, and a question mark
// where nothing could be told.
export type ShapeName = 'circle' | 'triangle' | 'octagon' | 'unknown';

const outlines: Record<ShapeName, string> = {
  circle: 'M50 4a46 46 0 1 0 0 92a46 46 0 1 0 0-92z',
  triangle: 'M50 5 98 93H2z',
  octagon: 'M31 4h38l27 27v38L69 96H31L4 69V31z',
  unknown: 'M12 6h76a8 8 0 0 1 8 8v72a8 8 0 0 1-8 8H12a8 8 0 0 1-8-8V14a8 8 0 0 1 8-8z',
};

// What is drawn inside, in the colour of the ground: a tick, an exclamation mark, a bar, a question mark.
const signs: Record<ShapeName, string> = {
  circle: 'm28 52 16 16 30-34',
  triangle: 'M50 38v20M50 76v2',
  octagon: 'M26 50h48',
  unknown: 'M36 38c0-20 29-20 29 0 0 14-15 13-15 26M50 76v7',
};

export function Shape({ name, class: cls }: { name: ShapeName; class?: string }) {
  return (
    <svg class={`shape ${cls ?? ''}`} viewBox="0 0 100 100" aria-hidden="true" data-shape={name}>
      <path d={outlines[name]} fill="currentColor" />
      <path class="sign" d={signs[name]} fill="none" stroke-width="10" />
    </svg>
  );
}

export const shapeOfColour = (c: string | undefined): ShapeName =>
  c === 'green' ? 'circle' : c === 'yellow' ? 'triangle' : c === 'red' ? 'octagon' : 'unknown';
