// The daily declaration: symptoms, temperature, contact. "Well" is one tap.
import type { TargetedSubmitEvent } from 'preact';
import { useState } from 'preact/hooks';
import { t, type Key } from '../i18n';
import { OneEvent } from '../lib/oneevent';
import { submit as sendEvent } from '../lib/submit';
import { faultAt, ProblemBox } from '../ui/Problems';
import { Choices, TextField } from '../ui/fields';
import { useTask } from '../ui/hooks';

const symptoms = ['fever', 'cough', 'throat', 'fatigue', 'breath', 'taste', 'nausea', 'diarrhoea', 'headache', 'muscle', 'chest', 'conjunctivitis'];

export function Declare({ onDone }: { onDone: () => void }) {
  const [well, setWell] = useState<'' | 'well' | 'ill'>('');
  const [chosen, setChosen] = useState<string[]>([]);
  const [temperature, setTemperature] = useState('');
  const [contact, setContact] = useState<string[]>([]);
  const [event] = useState(() => new OneEvent());
  const task = useTask();
  const submit = (e: TargetedSubmitEvent<HTMLFormElement>) => {
    e.preventDefault();
    const body = {
      check_in: true, symptoms: well === 'ill' ? chosen : [],
      ...(temperature && { temperature: Number(temperature) }), ...(contact[0] && { contact: contact[0] }),
    };
    task.run(async () => {
      await sendEvent(event, '/v1/me/declarations', body, 'id');
      onDone();
    });
  };
  const ready = well === 'well' || (well === 'ill' && chosen.length > 0);
  return (
    <form class="card" onSubmit={submit}>
      <h1>{t('declare.title')}</h1>
      <Choices legend={t('declare.feel')} name="well" chosen={well ? [well] : []} onChange={([v]) => setWell(v ?? '')}
        options={[{ value: 'well', label: t('declare.well') }, { value: 'ill', label: t('declare.ill') }]} />
      {well === 'ill' && <Choices legend={t('declare.symptoms')} name="symptoms" many chosen={chosen} onChange={setChosen}
        options={symptoms.map((s) => ({ value: s, label: t(`symptom.${s}` as Key) }))} />}
      <TextField label={t('declare.temperature')} type="number" inputmode="decimal" step="0.1" min="34" max="43" optional value={temperature} onInput={setTemperature} fault={faultAt(task.error, 'temperature')} />
      <Choices legend={t('declare.contact')} name="contact" chosen={contact} onChange={setContact}
        options={(['no', 'yes', 'unsure'] as const).map((v) => ({ value: v, label: t(`common.${v}`) }))} />
      <p class="soft small">{t('declare.true')}</p>
      <ProblemBox error={task.error} />
      <button class="wide" disabled={task.busy || !ready}>{task.busy ? t('common.sending') : t('common.save')}</button>
    </form>
  );
}
