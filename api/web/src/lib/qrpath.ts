// qrPath draws a QR code as one SVG path over a square of size units, four of them quiet zone on each side. The smallest
// version at level M is chosen; modules stay black, because light or coloured ones fail in the dark.
import encodeQR from 'qr';

export interface QrPath { size: number; d: string }

export function qrPath(text: string): QrPath {
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: 4 });
  let d = '';
  rows.forEach((row, y) => {
    for (let x = 0; x < row.length; x++) {
      if (!row[x]) continue;
      const from = x;
      while (x + 1 < row.length && row[x + 1]) x++;
      d += `M${from} ${y}h${x - from + 1}v1h-${x - from + 1}z`;
    }
  });
  return { size: rows.length, d };
}
