// Reader asks the worker about one picture at a time.
import type { Ask, Told } from './scan.worker';
import ScanWorker from './scan.worker?worker';

export class ReaderFailed extends Error {}

export class Reader {
  private readonly worker = new ScanWorker();
  private readonly waiting = new Map<number, (t: Told) => void>();
  private count = 0;

  constructor() {
    this.worker.onmessage = (e: MessageEvent<Told>) => this.answer(e.data);
    this.worker.onerror = () => [...this.waiting.keys()].forEach((id) => this.answer({ id, failed: true }));
  }

  private answer(t: Told) {
    this.waiting.get(t.id)?.(t);
    this.waiting.delete(t.id);
  }

  // read gives the text of a QR code in the picture, or undefined when there is none.
  read(image: ImageData, invert = false): Promise<string | undefined> {
    const ask: Ask = { id: ++this.count, image, invert };
    return new Promise((done, fail) => {
      this.waiting.set(ask.id, (t) => (t.failed ? fail(new ReaderFailed()) : done(t.text)));
      this.worker.postMessage(ask, [image.data.buffer]);
    });
  }

  close() {
    this.worker.terminate();
  }
}

const most = 1600; // pixels of the longer edge of a photo that is worth reading

// photo turns an image file into pixels.
export async function photo(file: Blob): Promise<ImageData> {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, most / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const g = canvas.getContext('2d', { willReadFrequently: true })!;
  g.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return g.getImageData(0, 0, canvas.width, canvas.height);
}
