// qrPath draws a QR code as one SVG path over a square of size units, four of them quiet zone on each side. Level M, or L
// where M would need more than version 9: readers fail in the dark from version 10 on. Modules stay black, because light or
// coloured ones fail in the dark too.
import encodeQR from 'qr';

export interface QrPath { size: number; d: string }

const mostM = 262; // alphanumeric characters of version 9

export function qrPath(text: string): QrPath {
  const rows = encodeQR(text, 'raw', { ecc: text.length > mostM ? 'low' : 'medium', border: 4 });
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
