// Pictures of a code as a camera sees it: a motion-JPEG of 640 x 480, empty at first, then the code in a few poses.
import { writeFile } from 'node:fs/promises';
import encodeQR from 'qr';

const poses = ['none', 'rotate(0) scale(1)', 'rotate(4deg) scale(.92)', 'rotate(-6deg) scale(1.04)', 'rotate(2deg) skewX(3deg) scale(.85)'];

// frames draws the pictures in a page of the browser and gives them as JPEG files.
export async function frames(browser, text) {
  const svg = encodeQR(text, 'svg', { ecc: 'medium', border: 4 });
  const context = await browser.newContext({ viewport: { width: 640, height: 480 } });
  const p = await context.newPage();
  const out = [];
  for (const pose of poses) {
    await p.setContent(`<body style="margin:0;background:#8b8f94;display:grid;place-items:center;height:480px">${pose === 'none' ? '' : `<div style="width:330px;transform:${pose}">${svg.replace('<svg ', '<svg width="330" height="330" style="background:#fff" ')}</div>`}</body>`);
    out.push(await p.screenshot({ type: 'jpeg', quality: 80 }));
  }
  await context.close();
  return out;
}

export async function clip(browser, text, file) {
  const [blank, ...rest] = await frames(browser, text);
  await writeFile(file, Buffer.concat([...Array(5).fill(blank), ...rest.flatMap((f) => Array(5).fill(f))]));
}
