// The latest passages of one gate, for officials of its district.
import { useEffect, useState } from 'preact/hooks';
import { say, t } from '../i18n';
import { call } from '../lib/api';
import { colourWord, decisionWord, moment } from '../lib/format';
import type { Gate, Passage } from '../lib/types';
import { ProblemBox } from '../ui/Problems';
import { Shape, shapeOfColour } from '../ui/Shape';
import { SelectField } from '../ui/fields';

export function GateList({ gates }: { gates: Gate[] }) {
  const [gate, setGate] = useState(gates[0]!.id);
  const [list, setList] = useState<Passage[]>();
  const [error, setError] = useState<unknown>();
  const load = () => {
    setError(undefined);
    call<{ passages: Passage[] | null }>('GET', `/v1/gates/${encodeURIComponent(gate)}/passages?limit=50`).then((a) => setList(a.passages ?? []), setError);
  };
  useEffect(load, [gate]);
  return (
    <section class="card">
      <h2>{t('office.latest')}</h2>
      <SelectField label={t('gate.gate')} value={gate} onChange={setGate}>
        {gates.map((g) => <option key={g.id} value={g.id}>{say(g.name) || g.id}</option>)}
      </SelectField>
      <ProblemBox error={error} onRetry={load} />
      {list?.length === 0 && <p>{t('passages.none')}</p>}
      {list && list.length > 0 && (
        <div class="scroll" tabIndex={0} role="group" aria-label={t('office.latest')}>
          <table>
            <thead><tr>
              <th scope="col">{t('office.time')}</th><th scope="col">{t('office.decision')}</th><th scope="col">{t('office.colour')}</th>
              <th scope="col">{t('office.reason')}</th><th scope="col">{t('gate.direction')}</th><th scope="col" class="number">°C</th>
            </tr></thead>
            <tbody>{list.map((p) => (
              <tr key={p.event}>
                <th scope="row">{moment(p.at)}</th>
                <td>{decisionWord(p.decision)}</td>
                <td class="nowrap"><Shape name={shapeOfColour(p.told ? p.colour : undefined)} class={`inline ink-${p.told ? p.colour : 'unknown'}`} /> {colourWord(p.told ? p.colour : undefined)}</td>
                <td><code>{p.reason}</code></td>
                <td>{p.direction === 'in' ? t('gate.direction.in') : p.direction === 'out' ? t('gate.direction.out') : t('common.dash')}</td>
                <td class="number">{p.temperature ? p.temperature.toFixed(1) : t('common.dash')}</td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}
