// The gate's page opens straight on the camera. Every scan ends in a full-screen verdict or a shut barrier.
import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import '../styles/base.css';
import '../styles/forms.css';
import '../styles/gate.css';
import { say, t, useLang } from '../i18n';
import { actAs, call, Problem, setToken, unreached } from '../lib/api';
import { skewSeconds } from '../lib/clock';
import { passageOf } from '../lib/passages';
import { wakeSound } from '../lib/tone';
import { keepScanner } from '../lib/worker';
import type { Gate, Passage } from '../lib/types';
import { ProblemBox } from '../ui/Problems';
import { Shell } from '../ui/Shell';
import { StaffLogIn } from '../ui/StaffLogIn';
import { SelectField, TextField } from '../ui/fields';
import { useWakeLock } from '../ui/hooks';
import { CameraView } from './CameraView';
import { Latest } from './Latest';
import { keepGates, keptBundle, keptGates, leaveGate } from './offline/keep';
import { OfflineBar } from './OfflineBar';
import { OtherWays } from './OtherWays';
import { kept, keep } from './settings';
import { useChallenge } from './useChallenge';
import { usePost } from './usePost';
import { useScan, type Settings } from './useScan';
import { ShutScreen, VerdictScreen } from './VerdictScreen';
import { listenToWedge } from './wedge';

function GatePage() {
  useLang();
  const [gates, setGates] = useState<Gate[]>();
  const [offline, setOffline] = useState(false);
  const [out, setOut] = useState(false);
  const [wrong, setWrong] = useState(false);
  const [error, setError] = useState<unknown>();
  const start = () => {
    setError(undefined);
    setOut(false);
    call<{ gates: Gate[] | null }>('GET', '/v1/gates').then((a) => {
      setOffline(false);
      setGates(a.gates ?? []);
      keepScanner();
      keepGates(a.gates ?? []).catch(() => { /* a full disk: works as long as there is a network */ });
    }, async (err: unknown) => {
      if (!(err instanceof Problem) || (err.status !== 401 && err.status !== 403)) return unreached(err) ? alone(err) : setError(err);
      setWrong(err.status === 403);
      leave();
    });
  };
  // alone opens the page of a device that has a list for one of its gates and no network.
  const alone = async (err: unknown) => {
    const able: Gate[] = [];
    for (const g of await keptGates().catch(() => [])) if (await keptBundle(g.id)) able.push(g);
    if (able.length === 0) return setError(err);
    setOffline(true);
    setGates(able);
  };
  // leave asks for a new login. The lists stay for the next one; a log-out forgets them.
  const leave = () => {
    setToken('');
    setGates(undefined);
    setOut(true);
  };
  useEffect(start, []);
  const logOut = () => {
    const forget = () => { leaveGate().then(leave, leave); };
    call('DELETE', '/v1/sessions/current').then(forget, forget);
  };
  return (
    <Shell title="home.gate" onLogout={gates ? logOut : undefined}>
      {out && <StaffLogIn title="gate.login" note={wrong ? t('login.role') : undefined} onDone={() => { wakeSound(); setWrong(false); start(); }} />}
      {!out && !gates && (error ? <ProblemBox error={error} onRetry={start} /> : <p>{t('common.loading')}</p>)}
      {gates && (gates.length === 0 ? <p class="card">{t('gate.none')}</p> : <PostPage gates={gates} offline={offline} onLoggedOut={leave} />)}
    </Shell>
  );
}

function PostPage({ gates, offline, onLoggedOut }: { gates: Gate[]; offline: boolean; onLoggedOut: () => void }) {
  const [settings, setSettings] = useState<Settings>(() => kept(gates));
  const [temperature, setTemperature] = useState('');
  const [seen, setSeen] = useState<Passage[]>([]);
  const change = (part: Partial<Settings>) => {
    const next = { ...settings, ...part };
    keep(next);
    setSettings(next);
  };
  const { post, state } = usePost(settings.gate, offline, onLoggedOut);
  const [told, setTold] = useState(''); // the gate of which the server said that it asks for a number, since this page has read its policy
  const { challenge, renew } = useChallenge(told === settings.gate || (state.challenge ?? gates.find((g) => g.id === settings.gate)?.policy?.challenge === true));
  const { scan, start, next, again } = useScan({
    settings, post, onLoggedOut, onVerdict: (v) => {
      setSeen((s) => [passageOf(v, settings.gate), ...s].slice(0, 50));
      if (v.cannot_tell !== 'challenge_missing') renew();
      else setTold(settings.gate);
    },
  });
  const found = (code: string) => {
    start(code, Number(temperature) || undefined, challenge);
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
        <OfflineBar state={state} secure={window.isSecureContext} onSend={() => void post?.reach()} />
        {Math.abs(skew) > 120 && <p class="notice" role="status">{t('gate.skew', { n: Math.round(Math.abs(skew) / 60) })}</p>}
        {challenge !== undefined && <ChallengeBox challenge={challenge} onRenew={renew} />}
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
      {scan.step === 'verdict' && <VerdictScreen verdict={scan.verdict} list={state.list} challenge={challenge} onNext={next} />}
      {scan.step === 'shut' && <ShutScreen error={scan.error} onAgain={again} onNext={next} />}
    </>
  );
}

// ChallengeBox is the number that the person before the gate types into their phone.
function ChallengeBox({ challenge, onRenew }: { challenge: number; onRenew: () => void }) {
  return (
    <section class="challenge card" aria-live="polite">
      <p>{t('gate.challenge')}</p>
      <p class="challenge-number" data-challenge={challenge}>{challenge}</p>
      <button type="button" class="second" onClick={onRenew}>{t('gate.challenge.new')}</button>
    </section>
  );
}

actAs('staff');
render(<GatePage />, document.getElementById('app')!);
