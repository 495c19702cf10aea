// Reads QR codes from pictures away from the page's own thread.
import { prepareZXingModule, readBarcodes, type ReaderOptions } from 'zxing-wasm/reader';
import wasm from 'zxing-wasm/reader/zxing_reader.wasm?url';

export interface Ask { id: number; image: ImageData; invert: boolean }
export interface Told { id: number; text?: string; failed?: boolean }

// The reader comes from our own server, never from another.
const ready = prepareZXingModule({ overrides: { locateFile: (path: string, prefix: string) => (path.endsWith('.wasm') ? wasm : prefix + path) }, fireImmediately: true });

self.onmessage = async (e: MessageEvent<Ask>) => {
  const { id, image, invert } = e.data;
  const options: ReaderOptions = { formats: ['QRCode'], maxNumberOfSymbols: 1, tryHarder: true, tryInvert: invert };
  try {
    await ready;
    const found = await readBarcodes(image, options);
    post({ id, text: found.find((r) => r.isValid)?.text });
  } catch {
    post({ id, failed: true });
  }
};

function post(t: Told) {
  (self as unknown as { postMessage(m: Told): void }).postMessage(t);
}
