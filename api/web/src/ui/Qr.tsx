import { useMemo } from 'preact/hooks';
import { qrPath } from '../lib/qrpath';

// Qr draws the text of a code, black on white.
export function Qr({ text, label }: { text: string; label: string }) {
  const q = useMemo(() => qrPath(text), [text]);
  return (
    <svg class="qr" role="img" aria-label={label} viewBox={`0 0 ${q.size} ${q.size}`} shape-rendering="crispEdges">
      <rect width={q.size} height={q.size} fill="#fff" />
      <path d={q.d} fill="#000" />
    </svg>
  );
}
