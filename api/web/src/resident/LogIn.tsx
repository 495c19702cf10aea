// Logging in: a phone number, then the one-time password sent to it. The answer is the same for unknown numbers.
import type { TargetedSubmitEvent } from 'preact';
import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { call, setToken } from '../lib/api';
import type { LogIn as Answer } from '../lib/types';
import { faultAt, ProblemBox } from '../ui/Problems';
import { TextField } from '../ui/fields';
import { useTask } from '../ui/hooks';

interface Props { phone: string; onPhone: (p: string) => void; onDone: () => void; onRegister: () => void; fresh: boolean }

export function LogIn({ phone, onPhone, onDone, onRegister, fresh }: Props) {
  const [otp, setOtp] = useState('');
  const [sent, setSent] = useState(false);
  const task = useTask();
  const send = async () => {
    await call<Answer>('POST', '/v1/sessions', { phone });
    setSent(true);
  };
  const enter = async () => {
    const a = await call<Answer>('POST', '/v1/sessions', { phone, otp: otp.trim() });
    setToken(a.token ?? '');
    onDone();
  };
  const submit = (e: TargetedSubmitEvent<HTMLFormElement>) => {
    e.preventDefault();
    task.run(sent ? enter : send);
  };
  return (
    <form class="card" onSubmit={submit}>
      <h1>{t('login.title')}</h1>
      {fresh && <p class="notice" role="status">{t('login.registered')}</p>}
      <TextField label={t('field.phone')} type="tel" inputmode="tel" autocomplete="tel" maxLength={20} required value={phone} fault={faultAt(task.error, 'phone')}
        onInput={(v) => { onPhone(v); setSent(false); setOtp(''); }} />
      {sent && <>
        <p class="notice" role="status">{t('login.sent')}</p>
        <TextField label={t('field.otp')} inputmode="numeric" autocomplete="one-time-code" maxLength={6} pattern="[0-9]{6}" required autofocus value={otp} onInput={setOtp} />
      </>}
      <ProblemBox error={task.error} />
      <button class="wide" disabled={task.busy}>{task.busy ? t('common.sending') : t(sent ? 'login.enter' : 'login.send')}</button>
      {sent && <button type="button" class="plain" disabled={task.busy} onClick={() => task.run(send)}>{t('login.again')}</button>}
      <hr />
      <p>{t('login.new')} <button type="button" class="plain" onClick={onRegister}>{t('register.title')}</button></p>
    </form>
  );
}
