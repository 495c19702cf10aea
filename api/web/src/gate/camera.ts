// Camera runs the device's camera and gives the middle square of its pictures, which is what the page frames.
export type CameraFault = 'insecure' | 'absent' | 'refused' | 'busy';

export class Camera {
  private stream?: MediaStream;
  private readonly canvas = document.createElement('canvas');

  constructor(readonly video: HTMLVideoElement) {}

  // start opens the camera at the back of the device. It throws a CameraFault.
  async start(): Promise<void> {
    if (!navigator.mediaDevices) throw (window.isSecureContext ? 'absent' : 'insecure') satisfies CameraFault;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: false, video: { facingMode: { ideal: 'environment' }, width: { ideal: 1280 }, height: { ideal: 720 } },
      });
    } catch (err) {
      throw faultOf(err);
    }
    this.video.srcObject = this.stream;
    await this.video.play();
  }

  stop(): void {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = undefined;
    this.video.srcObject = null;
  }

  get on(): boolean {
    return this.stream !== undefined;
  }

  // canTorch says whether there is a light; torch switches it.
  get canTorch(): boolean {
    const track = this.stream?.getVideoTracks()[0];
    return Boolean((track?.getCapabilities?.() as { torch?: boolean } | undefined)?.torch);
  }

  async torch(on: boolean): Promise<void> {
    await this.stream?.getVideoTracks()[0]?.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] });
  }

  // grab gives the middle square of the picture now, at most 720 pixels wide; undefined before the first picture.
  grab(): ImageData | undefined {
    const { videoWidth: w, videoHeight: h } = this.video;
    const edge = Math.min(w, h);
    if (edge === 0) return undefined;
    const size = Math.min(720, edge);
    this.canvas.width = this.canvas.height = size;
    const g = this.canvas.getContext('2d', { willReadFrequently: true })!;
    g.drawImage(this.video, (w - edge) / 2, (h - edge) / 2, edge, edge, 0, 0, size, size);
    return g.getImageData(0, 0, size, size);
  }
}

function faultOf(err: unknown): CameraFault {
  switch (err instanceof DOMException ? err.name : '') {
    case 'NotAllowedError': case 'SecurityError': return 'refused';
    case 'NotReadableError': case 'AbortError': return 'busy';
  }
  return 'absent';
}
