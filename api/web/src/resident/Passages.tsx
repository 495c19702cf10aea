// Where my code was scanned, newest first.
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n';
import { call } from '../lib/api';
import { colourWord, decisionWord, moment } from '../lib/format';
import { divisions, type Table } from '../lib/divisions';
import type { Passage } from '../lib/types';
import { ProblemBox } from '../ui/Problems';
import { Shape, shapeOfColour } from '../ui/Shape';

export function Passages() {
  const [list, setList] = useState<Passage[]>();
  const [places, setPlaces] = useState<Table>();
  const [error, setError] = useState<unknown>();
  const load = () => {
    setError(undefined);
    call<{ passages: Passage[] | null }>('GET', '/v1/me/passages').then((a) => setList(a.passages ?? []), setError);
  };
  useEffect(() => {
    load();
    divisions().then(setPlaces, () => { /* the list is readable with codes */ });
  }, []);
  return (
    <section class="card">
      <h1>{t('passages.mine')}</h1>
      <p class="soft small">{t('passages.mine.text')}</p>
      <ProblemBox error={error} onRetry={load} />
      {!list && !error && <p>{t('common.loading')}</p>}
      {list?.length === 0 && <p>{t('passages.none')}</p>}
      <ul class="passages">
        {list?.map((p) => (
          <li key={p.event}>
            <Shape name={shapeOfColour(p.told ? p.colour : undefined)} class={`ink-${p.told ? p.colour : 'unknown'}`} />
            <div>
              <strong>{decisionWord(p.decision)}</strong> <span class="soft">{colourWord(p.told ? p.colour : undefined)}</span>
              <div class="small">{moment(p.at)} · {places?.name(p.district) || p.district} · {p.gate}</div>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
