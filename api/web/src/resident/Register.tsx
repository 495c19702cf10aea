import type { TargetedSubmitEvent } from 'preact';
import { useState } from 'preact/hooks';
import { t, type Key } from '../i18n';
import { call } from '../lib/api';
import { DivisionPicker } from '../ui/DivisionPicker';
import { faultAt, ProblemBox } from '../ui/Problems';
import { SelectField, TextField } from '../ui/fields';
import { useTask } from '../ui/hooks';

const documents = ['10', '14', '15', '16', '20', '34', '99'];

export function Register({ onDone, onBack }: { onDone: (phone: string) => void; onBack: () => void }) {
  const [name, setName] = useState('');
  const [type, setType] = useState('10');
  const [number, setNumber] = useState('');
  const [phone, setPhone] = useState('');
  const [home, setHome] = useState('');
  const task = useTask();
  const submit = (e: TargetedSubmitEvent<HTMLFormElement>) => {
    e.preventDefault();
    task.run(async () => {
      await call('POST', '/v1/residents', { name, id_type: type, id_number: number.trim(), phone, ...(home && { home }) });
      onDone(phone);
    });
  };
  const fault = (f: string) => faultAt(task.error, f);
  return (
    <form class="card" onSubmit={submit}>
      <h1>{t('register.title')}</h1>
      <p class="soft">{t('register.text')}</p>
      <TextField label={t('field.name')} autocomplete="name" maxLength={60} required value={name} onInput={setName} fault={fault('name')} />
      <SelectField label={t('field.document')} value={type} onChange={setType} fault={fault('id_type')}>
        {documents.map((d) => <option key={d} value={d}>{t(`document.${d}` as Key)}</option>)}
      </SelectField>
      <TextField label={t('field.number')} maxLength={20} required value={number} onInput={setNumber} fault={fault('id_number')} hint={type === '10' ? t('field.number.hint') : undefined} />
      <TextField label={t('field.phone')} type="tel" inputmode="tel" autocomplete="tel" maxLength={20} required value={phone} onInput={setPhone} fault={fault('phone')} hint={t('field.phone.hint')} />
      <DivisionPicker label={t('field.home')} value={home} onChange={setHome} fault={fault('home')} optional />
      <ProblemBox error={task.error} />
      <button class="wide" disabled={task.busy}>{task.busy ? t('common.sending') : t('register.send')}</button>
      <button type="button" class="plain" onClick={onBack}>{t('common.back')}</button>
    </form>
  );
}
