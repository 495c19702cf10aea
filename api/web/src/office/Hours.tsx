// Passages by hour, with the span chosen above and the same numbers as a table.
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n';
import { call } from '../lib/api';
import { clock, day, time } from '../lib/format';
import { now } from '../lib/clock';
import { hours } from '../lib/passages';
import type { ByHour, Gate } from '../lib/types';
import { ProblemBox } from '../ui/Problems';
import { SelectField } from '../ui/fields';
import { say } from '../i18n';
import { Chart } from './Chart';

interface Props { gates: Gate[]; onRefused: (err: unknown) => boolean }

export function Hours({ gates, onRefused }: Props) {
  const [span, setSpan] = useState('24');
  const [gate, setGate] = useState('');
  const [data, setData] = useState<ByHour>();
  const [error, setError] = useState<unknown>();
  const load = () => {
    setError(undefined);
    const q = new URLSearchParams({ since: new Date(now() - Number(span) * 3_600_000).toISOString() });
    if (gate) q.set('gate', gate);
    call<ByHour>('GET', `/v1/analytics/passages-by-hour?${q}`).then(setData, (err: unknown) => { if (!onRefused(err)) setError(err); });
  };
  useEffect(() => {
    load();
    const timer = setInterval(() => { if (document.visibilityState === 'visible') load(); }, 60_000);
    return () => clearInterval(timer);
  }, [span, gate]);
  const list = data ? hours(data) : [];
  const total = list.reduce((sum, h) => sum + h.count, 0);
  return (
    <section class="card">
      <h2>{t('office.hours')}</h2>
      <div class="row filters">
        <div class="grow"><SelectField label={t('office.span')} value={span} onChange={setSpan}>
          <option value="24">{t('office.span.day')}</option>
          <option value="72">{t('office.span.three')}</option>
          <option value="168">{t('office.span.week')}</option>
        </SelectField></div>
        {gates.length > 0 && <div class="grow"><SelectField label={t('office.gate')} value={gate} onChange={setGate}>
          <option value="">{t('office.gate.all')}</option>
          {gates.map((g) => <option key={g.id} value={g.id}>{say(g.name) || g.id}</option>)}
        </SelectField></div>}
        <button type="button" class="second" onClick={load}>{t('office.reload')}</button>
      </div>
      <ProblemBox error={error} onRetry={load} />
      {data && <>
        <p aria-live="polite"><strong class="total">{total}</strong> {t('office.total')} <span class="soft small">{t('office.asof', { time: clock(data.data_as_of) })}</span></p>
        {data.suppressed > 0 && <p class="notice">{t('office.suppressed', { n: data.suppressed })}</p>}
        {total === 0 ? <p>{t('passages.none')}</p> : <Chart hours={list} />}
        {total > 0 && (
          <details>
            <summary>{t('office.table')}</summary>
            <table>
              <thead><tr><th scope="col">{t('office.hour')}</th><th scope="col" class="number">{t('office.count')}</th></tr></thead>
              <tbody>{list.filter((h) => h.count > 0).map((h) => <tr key={h.at}><th scope="row">{day(h.at)} {time(h.at)}</th><td class="number">{h.count}</td></tr>)}</tbody>
            </table>
          </details>
        )}
      </>}
    </section>
  );
}
