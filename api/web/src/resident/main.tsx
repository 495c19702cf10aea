// The resident's page: log in or register, then the code, declarations, journeys and passages under tabs.
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import '../styles/base.css';
import '../styles/forms.css';
import '../styles/resident.css';
import { t, useLang, type Key } from '../i18n';
import { actAs, call, Problem, setToken } from '../lib/api';
import { now } from '../lib/clock';
import type { Me } from '../lib/types';
import { ProblemBox } from '../ui/Problems';
import { Shell } from '../ui/Shell';
import { CodeCard } from './CodeCard';
import { Declare } from './Declare';
import { LogIn } from './LogIn';
import { Passages } from './Passages';
import { Reasons } from './Reasons';
import { Register } from './Register';
import { Trip } from './Trip';
import { usePhone } from './usePhone';
import { empty, load, usable, wipe, type Vault } from './vault';

type View = 'starting' | 'login' | 'register' | 'inside';

function Resident() {
  useLang();
  const [view, setView] = useState<View>('starting');
  const [phone, setPhone] = useState('');
  const [fresh, setFresh] = useState(false);
  const [error, setError] = useState<unknown>();
  const [vault, setVault] = useState<Vault>(empty);
  const start = async () => {
    setError(undefined);
    const kept = await load();
    setVault(kept);
    if (usable(kept, now()).length > 0) setView('inside'); // showing a code waits for no server
    try {
      await call<Me>('GET', '/v1/me');
      setView('inside');
    } catch (err) {
      if (err instanceof Problem && (err.status === 401 || err.status === 403)) return leave();
      if (kept.held.length > 0 || kept.view) return setView('inside'); // somebody was logged in: the page says what is missing, or shows what the server lends
      setError(err);
    }
  };
  const leave = () => {
    void wipe();
    setVault(empty);
    setToken('');
    setView('login');
  };
  useEffect(() => void start(), []);
  const logOut = () => { call('DELETE', '/v1/sessions/current').then(leave, leave); };

  return (
    <Shell title="home.resident" onLogout={view === 'inside' ? logOut : undefined}>
      {view === 'starting' && (error ? <ProblemBox error={error} onRetry={() => void start()} /> : <p>{t('common.loading')}</p>)}
      {view === 'login' && <LogIn phone={phone} onPhone={setPhone} fresh={fresh} onDone={() => setView('inside')} onRegister={() => setView('register')} />}
      {view === 'register' && <Register onBack={() => setView('login')} onDone={(p) => { setPhone(p); setFresh(true); setView('login'); }} />}
      {view === 'inside' && <Inside vault={vault} onLoggedOut={leave} />}
    </Shell>
  );
}

const tabs = ['code', 'declare', 'trip', 'passages'] as const;
type Tab = (typeof tabs)[number];
const tabOf = (hash: string): Tab => tabs.find((n) => `#${n}` === hash) ?? 'code';

function Inside({ vault, onLoggedOut }: { vault: Vault; onLoggedOut: () => void }) {
  const [tab, setTab] = useState<Tab>(tabOf(location.hash));
  const [thanks, setThanks] = useState(false);
  useEffect(() => {
    const f = () => { setTab(tabOf(location.hash)); setThanks(false); };
    window.addEventListener('hashchange', f);
    return () => window.removeEventListener('hashchange', f);
  }, []);
  const done = () => {
    location.hash = '#code';
    setTab('code');
    setTimeout(() => setThanks(true)); // after the hash change has cleared it
  };
  return (
    <>
      <nav class="tabs" aria-label={t('home.resident')}>
        {tabs.map((n) => <a key={n} href={`#${n}`} aria-current={n === tab ? 'page' : undefined}>{t(`tab.${n}` as Key)}</a>)}
      </nav>
      {tab === 'code' && <Code kept={vault} thanks={thanks} onLoggedOut={onLoggedOut} />}
      {tab === 'declare' && <Declare onDone={done} />}
      {tab === 'trip' && <Trip onDone={done} />}
      {tab === 'passages' && <Passages />}
    </>
  );
}

// Code begins with what the phone holds: the newest is in its store when one comes back from another tab.
function Code({ kept, thanks, onLoggedOut }: { kept: Vault; thanks: boolean; onLoggedOut: () => void }) {
  const [vault, setVault] = useState<Vault>();
  useEffect(() => { load().then((v) => setVault(v.held.length > 0 || v.view ? v : kept), () => setVault(kept)); }, []);
  return (
    <>
      {thanks && <p class="notice" role="status">{t('declare.thanks')}</p>}
      {vault ? <Shown vault={vault} onLoggedOut={onLoggedOut} /> : <p>{t('common.loading')}</p>}
    </>
  );
}

function Shown({ vault, onLoggedOut }: { vault: Vault; onLoggedOut: () => void }) {
  const phone = usePhone(vault, onLoggedOut);
  const { view, held } = phone.vault;
  return (
    <>
      {held.length === 0 && view?.told !== false && phone.error !== undefined && <ProblemBox error={phone.error} onRetry={phone.refresh} />}
      {!view && held.length === 0 && phone.error === undefined && <p>{t('common.loading')}</p>}
      <CodeCard phone={phone} />
      {view && (phone.error === undefined || usable(phone.vault, now()).length > 0) && <Reasons view={view} />}
    </>
  );
}

actAs('resident');
render(<Resident />, document.getElementById('app')!);
