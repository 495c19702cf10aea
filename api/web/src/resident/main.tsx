// The resident's page: log in or register, then the code, declarations, journeys and passages under tabs.
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import '../styles/base.css';
import '../styles/forms.css';
import '../styles/resident.css';
import { t, useLang, type Key } from '../i18n';
import { actAs, call, Problem, setToken } from '../lib/api';
import type { Me } from '../lib/types';
import { ProblemBox } from '../ui/Problems';
import { Shell } from '../ui/Shell';
import { CodeCard } from './CodeCard';
import { Declare } from './Declare';
import { forget, kept } from './lastcode';
import { LogIn } from './LogIn';
import { Passages } from './Passages';
import { Reasons } from './Reasons';
import { Register } from './Register';
import { Trip } from './Trip';
import { useCode } from './useCode';

type View = 'starting' | 'login' | 'register' | 'inside';

function Resident() {
  useLang();
  const [view, setView] = useState<View>('starting');
  const [phone, setPhone] = useState('');
  const [fresh, setFresh] = useState(false);
  const [error, setError] = useState<unknown>();
  const start = () => {
    setError(undefined);
    call<Me>('GET', '/v1/me').then(() => setView('inside'), (err: unknown) => {
      if (err instanceof Problem && (err.status === 401 || err.status === 403)) return leave();
      if (kept()) return setView('inside'); // no network: the last code is still worth showing
      setError(err);
    });
  };
  const leave = () => {
    forget();
    setToken('');
    setView('login');
  };
  useEffect(start, []);
  const logOut = () => { call('DELETE', '/v1/sessions/current').then(leave, leave); };

  return (
    <Shell title="home.resident" onLogout={view === 'inside' ? logOut : undefined}>
      {view === 'starting' && (error ? <ProblemBox error={error} onRetry={start} /> : <p>{t('common.loading')}</p>)}
      {view === 'login' && <LogIn phone={phone} onPhone={setPhone} fresh={fresh} onDone={() => setView('inside')} onRegister={() => setView('register')} />}
      {view === 'register' && <Register onBack={() => setView('login')} onDone={(p) => { setPhone(p); setFresh(true); setView('login'); }} />}
      {view === 'inside' && <Inside onLoggedOut={leave} />}
    </Shell>
  );
}

const tabs = ['code', 'declare', 'trip', 'passages'] as const;
type Tab = (typeof tabs)[number];
const tabOf = (hash: string): Tab => tabs.find((n) => `#${n}` === hash) ?? 'code';

function Inside({ onLoggedOut }: { onLoggedOut: () => void }) {
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
      {tab === 'code' && <Code thanks={thanks} onLoggedOut={onLoggedOut} />}
      {tab === 'declare' && <Declare onDone={done} />}
      {tab === 'trip' && <Trip onDone={done} />}
      {tab === 'passages' && <Passages />}
    </>
  );
}

function Code({ thanks, onLoggedOut }: { thanks: boolean; onLoggedOut: () => void }) {
  const shown = useCode(onLoggedOut);
  return (
    <>
      {thanks && <p class="notice" role="status">{t('declare.thanks')}</p>}
      {!shown.last && (shown.error ? <ProblemBox error={shown.error} onRetry={shown.refresh} /> : <p>{t('common.loading')}</p>)}
      <CodeCard shown={shown} />
      {shown.last && <Reasons view={shown.last.view} />}
    </>
  );
}

actAs('resident');
render(<Resident />, document.getElementById('app')!);
