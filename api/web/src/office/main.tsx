// The office page: passages by hour, and for officials the latest passages of a gate.
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import '../styles/base.css';
import '../styles/forms.css';
import '../styles/office.css';
import { t, useLang } from '../i18n';
import { actAs, call, Problem, setToken } from '../lib/api';
import type { Gate } from '../lib/types';
import { ProblemBox } from '../ui/Problems';
import { Shell } from '../ui/Shell';
import { StaffLogIn } from '../ui/StaffLogIn';
import { GateList } from './GateList';
import { Hours } from './Hours';

type View = 'starting' | 'login' | 'inside';

function Office() {
  useLang();
  const [view, setView] = useState<View>('starting');
  const [gates, setGates] = useState<Gate[]>([]);
  const [wrong, setWrong] = useState(false);
  const [error, setError] = useState<unknown>();
  const leave = () => {
    setToken('');
    setGates([]);
    setView('login');
  };
  // refused sends whoever may not see this page to the login; it reports whether it did.
  const refused = (err: unknown): boolean => {
    if (!(err instanceof Problem) || (err.status !== 401 && err.status !== 403)) return false;
    setWrong(err.status === 403);
    leave();
    return true;
  };
  const start = () => {
    setError(undefined);
    // Epidemiologists see counts but no single gates; for them the list of gates is refused and the page goes on without.
    call<{ gates: Gate[] | null }>('GET', '/v1/gates').then((a) => { setGates(a.gates ?? []); setView('inside'); }, (err: unknown) => {
      if (err instanceof Problem && err.status === 403) return setView('inside');
      if (!refused(err)) setError(err);
    });
  };
  useEffect(start, []);
  const logOut = () => { call('DELETE', '/v1/sessions/current').then(leave, leave); };
  return (
    <Shell title="home.office" onLogout={view === 'inside' ? logOut : undefined} wide>
      {view === 'starting' && (error ? <ProblemBox error={error} onRetry={start} /> : <p>{t('common.loading')}</p>)}
      {view === 'login' && <StaffLogIn title="office.login" note={wrong ? t('login.role') : undefined} onDone={() => { setWrong(false); start(); }} />}
      {view === 'inside' && <>
        <h1>{t('home.office')}</h1>
        <Hours gates={gates} onRefused={refused} />
        {gates.length > 0 && <GateList gates={gates} />}
      </>}
    </Shell>
  );
}

actAs('staff');
render(<Office />, document.getElementById('app')!);
