import type { TargetedSubmitEvent } from 'preact';
import { useState } from 'preact/hooks';
import { t, type Key } from '../i18n';
import { call, setToken } from '../lib/api';
import type { LogIn } from '../lib/types';
import { ProblemBox } from './Problems';
import { TextField } from './fields';
import { useTask } from './hooks';

// StaffLogIn asks for a user name and password. note says why one has to log in here, if there is something to say.
export function StaffLogIn({ title, note, onDone }: { title: Key; note?: string; onDone: () => void }) {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const task = useTask();
  const submit = (e: TargetedSubmitEvent<HTMLFormElement>) => {
    e.preventDefault();
    task.run(async () => {
      const a = await call<LogIn>('POST', '/v1/sessions', { username: username.trim(), password });
      setToken(a.token ?? '');
      onDone();
    });
  };
  return (
    <form class="card narrow" onSubmit={submit}>
      <h1>{t(title)}</h1>
      {note && <p class="notice" role="status">{note}</p>}
      <TextField label={t('field.username')} autocomplete="username" maxLength={64} required value={username} onInput={setUsername} />
      <TextField label={t('field.password')} type="password" autocomplete="current-password" maxLength={72} required value={password} onInput={setPassword} />
      <ProblemBox error={task.error} />
      <button class="wide" disabled={task.busy}>{task.busy ? t('common.sending') : t('login.enter')}</button>
    </form>
  );
}
