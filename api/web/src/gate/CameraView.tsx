// CameraView shows the camera and calls found with every new code. It looks only while active, and switches the camera off
// after a minute without a code to spare the battery.
import { useEffect, useRef, useState } from 'preact/hooks';
import { t, type Key } from '../i18n';
import { wakeSound } from '../lib/tone';
import { Camera, type CameraFault } from './camera';
import { Reader } from './reader';
import { Repeat } from './repeat';

interface Props { active: boolean; onFound: (code: string) => void }

const idle = 60_000; // milliseconds
const pause = 40; // between two pictures

export function CameraView({ active, onFound }: Props) {
  const video = useRef<HTMLVideoElement>(null);
  const camera = useRef<Camera | undefined>(undefined);
  const live = useRef({ active, onFound });
  live.current = { active, onFound };
  const [state, setState] = useState<'off' | 'starting' | 'on' | CameraFault>('off');
  const [torch, setTorch] = useState(false);
  const [broken, setBroken] = useState(false);

  const start = () => {
    wakeSound();
    const c = (camera.current ??= new Camera(video.current!));
    setState('starting');
    c.start().then(() => setState('on'), (fault: CameraFault) => setState(fault));
  };
  const stop = () => {
    camera.current?.stop();
    setTorch(false);
    setState('off');
  };

  useEffect(() => {
    start();
    const f = () => { if (document.visibilityState === 'visible') start(); else stop(); };
    document.addEventListener('visibilitychange', f);
    return () => {
      document.removeEventListener('visibilitychange', f);
      camera.current?.stop();
    };
  }, []);

  useEffect(() => {
    if (state !== 'on') return;
    const reader = new Reader();
    const repeat = new Repeat();
    let gone = false;
    let busyAt = performance.now();
    const look = async (n: number): Promise<void> => {
      if (gone) return;
      const at = performance.now();
      if (!live.current.active) busyAt = at;
      if (at - busyAt > idle) return stop();
      const image = live.current.active ? camera.current?.grab() : undefined;
      try {
        const text = image && await reader.read(image, n % 5 === 4);
        if (text && !gone && repeat.fresh(text, performance.now()) && live.current.active) live.current.onFound(text);
      } catch {
        if (!gone) setBroken(true);
        return;
      }
      setTimeout(() => void look(n + 1), pause);
    };
    void look(0);
    return () => {
      gone = true;
      reader.close();
    };
  }, [state]);

  const light = () => {
    camera.current?.torch(!torch).then(() => setTorch(!torch), () => { /* the light stays as it is */ });
  };
  const fault = state !== 'on' && state !== 'starting' && state !== 'off';
  return (
    <>
      <div class={`camera ${state}`}>
        <video ref={video} playsInline muted aria-label={t('gate.camera')} />
        {state === 'on' && <span class="aim" aria-hidden="true" />}
        {state === 'on' && camera.current?.canTorch && <button type="button" class="torch second" aria-pressed={torch} onClick={light}>{t('gate.torch')}</button>}
        {state !== 'on' && (
          <div class="camera-off">
            <p role={fault ? 'alert' : undefined}>{t(fault ? (`camera.${state}` as Key) : state === 'starting' ? 'camera.starting' : 'camera.off')}</p>
            {state !== 'starting' && <button type="button" onClick={start}>{t('camera.start')}</button>}
          </div>
        )}
        {broken && <p class="fault" role="alert">{t('camera.reader')}</p>}
      </div>
      {state === 'on' && <p class="aim-hint">{t('gate.aim')}</p>}
    </>
  );
}
