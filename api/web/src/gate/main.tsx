// The gate's page opens straight on the camera. Every scan ends in a full-screen verdict or a shut barrier.
import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import '../styles/base.css';
import '../styles/forms.css';
import '../styles/gate.css';
import { say, t, useLang } from '../i18n';
import { actAs, call, Problem, setToken } from '../lib/api';
import { skewSeconds } from '../lib/clock';
import { passageOf } from '../lib/passages';
import { wakeSound } from '../lib/tone';
import type { Gate, Passage } from '../lib/types';
import { ProblemBox } from '../ui/Problems';
import { Shell } from '../ui/Shell';
import { StaffLogIn } from '../ui/StaffLogIn';
import { SelectField, TextField } from '../ui/fields';
import { useWakeLock } from '../ui/hooks';
import { CameraView } from './CameraView';
import { Latest } from './Latest';
import { OtherWays } from './OtherWays';
import { kept, keep } from './settings';
import { useScan, type Settings } from './useScan';
import { ShutScreen, VerdictScreen } from './VerdictScreen';
import { listenToWedge } from './wedge';

function GatePage() {
  useLang();
  const [gates, setGates] = useState<Gate[]>();
  const [out, setOut] = useState(false);
  const [wrong, setWrong] = useState(false);
  const [error, setError] = useState<unknown>();
  const start = () => {
    setError(undefined);
    setOut(false);
    call<{ gates: Gate[] | null }>('GET', '/v1/gates').then((a) => setGates(a.gates ?? []), (err: unknown) => {
      if (!(err instanceof Problem) || (err.status !== 401 && err.status !== 403)) return setError(err);
      setWrong(err.status === 403);
      leave();
    });
  };
  const leave = () => {
    setToken('');
    setGates(undefined);
    setOut(true);
  };
  useEffect(start, []);
  const logOut = () => { call('DELETE', '/v1/sessions/current').then(leave, leave); };
  return (
    <Shell title="home.gate" onLogout={gates ? logOut : undefined}>
      {out && <StaffLogIn title="gate.login" note={wrong ? t('login.role') : undefined} onDone={() => { wakeSound(); setWrong(false); start(); }} />}
      {!out && !gates && (error ? <ProblemBox error={error} onRetry={start} /> : <p>{t('common.loading')}</p>)}
      {gates && (gates.length === 0 ? <p class="card">{t('gate.none')}</p> : <Post gates={gates} onLoggedOut={leave} />)}
    </Shell>
  );
}

function Post({ gates, onLoggedOut }: { gates: Gate[]; onLoggedOut: () => void }) {
  const [settings, setSettings] = useState<Settings>(() => kept(gates));
  const [temperature, setTemperature] = useState('');
  const [seen, setSeen] = useState<Passage[]>([]);
  const change = (part: Partial<Settings>) => {
    const next = { ...settings, ...part };
    keep(next);
    setSettings(next);
  };
  const { scan, start, next, again } = useScan({
    settings, onLoggedOut, onVerdict: (v) => setSeen((s) => [passageOf(v, settings.gate), ...s].slice(0, 50)),
  });
  const found = (code: string) => {
    start(code, Number(temperature) || undefined);
    setTemperature('');
  };
  useWakeLock(true);
  const live = useRef(found);
  live.current = found;
  useEffect(() => listenToWedge((code) => live.current(code)), []);
  const skew = skewSeconds();
  return (
    <>
      <div inert={scan.step === 'verdict' || scan.step === 'shut'}>
        <div class="post">
          <SelectField label={t('gate.gate')} value={settings.gate} onChange={(gate) => change({ gate })}>
            {gates.map((g) => <option key={g.id} value={g.id}>{say(g.name) || g.id}</option>)}
          </SelectField>
          <button type="button" class="second" aria-pressed={settings.muted} onClick={() => { wakeSound(); change({ muted: !settings.muted }); }}>{t(settings.muted ? 'gate.sound.off' : 'gate.sound.on')}</button>
        </div>
        {Math.abs(skew) > 120 && <p class="notice" role="status">{t('gate.skew', { n: Math.round(Math.abs(skew) / 60) })}</p>}
        <CameraView active={scan.step === 'ready'} onFound={found} />
        <p class="sending" role="status">{scan.step === 'sending' ? t('gate.sending') : ''}</p>
        <OtherWays onFound={found} />
        <details class="card">
          <summary>{t('gate.more')}</summary>
          <SelectField label={t('gate.direction')} value={settings.direction} onChange={(direction) => change({ direction })}>
            <option value="">{t('gate.direction.none')}</option>
            <option value="in">{t('gate.direction.in')}</option>
            <option value="out">{t('gate.direction.out')}</option>
          </SelectField>
          <TextField label={t('gate.temperature')} hint={t('gate.temperature.hint')} type="number" inputmode="decimal" step="0.1" min="30" max="45" optional value={temperature} onInput={setTemperature} />
        </details>
        <Latest gate={settings.gate} seen={seen} />
      </div>
      {scan.step === 'verdict' && <VerdictScreen verdict={scan.verdict} onNext={next} />}
      {scan.step === 'shut' && <ShutScreen error={scan.error} onAgain={again} onNext={next} />}
    </>
  );
}

actAs('staff');
render(<GatePage />, document.getElementById('app')!);
