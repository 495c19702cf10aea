import type { TargetedSubmitEvent } from 'preact';
import { useState } from 'preact/hooks';
import { t, type Key } from '../i18n';
import { now } from '../lib/clock';
import { fromLocalInput, localInput } from '../lib/format';
import { OneEvent } from '../lib/oneevent';
import { submit as sendEvent } from '../lib/submit';
import { DivisionPicker } from '../ui/DivisionPicker';
import { faultAt, ProblemBox } from '../ui/Problems';
import { SelectField, TextField } from '../ui/fields';
import { useTask } from '../ui/hooks';

const modes = ['train', 'flight', 'coach', 'ship', 'metro', 'taxi', 'car'];
const seated = new Set(['train', 'flight', 'coach', 'ship']);

export function Trip({ onDone }: { onDone: () => void }) {
  const [mode, setMode] = useState('train');
  const [number, setNumber] = useState('');
  const [carriage, setCarriage] = useState('');
  const [seat, setSeat] = useState('');
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [departed, setDeparted] = useState(localInput(now() - 3_600_000));
  const [arrived, setArrived] = useState('');
  const [event] = useState(() => new OneEvent());
  const task = useTask();
  const submit = (e: TargetedSubmitEvent<HTMLFormElement>) => {
    e.preventDefault();
    const body = {
      mode, from, to, departed: fromLocalInput(departed), ...(arrived && { arrived: fromLocalInput(arrived) }),
      ...(seated.has(mode) && { ...(number && { number }), ...(carriage && { carriage }), ...(seat && { seat }) }),
    };
    task.run(async () => {
      await sendEvent(event, '/v1/me/trips', body, 'id');
      onDone();
    });
  };
  const fault = (f: string) => faultAt(task.error, f);
  return (
    <form class="card" onSubmit={submit}>
      <h1>{t('trip.title')}</h1>
      <SelectField label={t('trip.mode')} value={mode} onChange={setMode} fault={fault('mode')}>
        {modes.map((m) => <option key={m} value={m}>{t(`mode.${m}` as Key)}</option>)}
      </SelectField>
      {seated.has(mode) && <>
        <TextField label={t('trip.number')} optional maxLength={20} value={number} onInput={setNumber} fault={fault('number')} hint={t('trip.number.hint')} />
        <div class="row">
          <div class="grow"><TextField label={t('trip.carriage')} optional maxLength={10} value={carriage} onInput={setCarriage} fault={fault('carriage')} /></div>
          <div class="grow"><TextField label={t('trip.seat')} optional maxLength={10} value={seat} onInput={setSeat} fault={fault('seat')} /></div>
        </div>
      </>}
      <DivisionPicker label={t('trip.from')} value={from} onChange={setFrom} fault={fault('from')} />
      <DivisionPicker label={t('trip.to')} value={to} onChange={setTo} fault={fault('to')} />
      <TextField label={t('trip.departed')} type="datetime-local" required value={departed} max={localInput(now())} onInput={setDeparted} fault={fault('departed')} />
      <TextField label={t('trip.arrived')} type="datetime-local" optional value={arrived} onInput={setArrived} fault={fault('arrived')} />
      <ProblemBox error={task.error} />
      <button class="wide" disabled={task.busy || !from || !to}>{task.busy ? t('common.sending') : t('common.save')}</button>
    </form>
  );
}
