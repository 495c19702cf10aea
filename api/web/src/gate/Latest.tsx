// The latest passages of this gate: those this page has just seen, and the server's list. No names are kept.
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n';
import { call } from '../lib/api';
import { clock, colourWord, decisionWord } from '../lib/format';
import { merge } from '../lib/passages';
import type { Passage } from '../lib/types';
import { Shape, shapeOfColour } from '../ui/Shape';

const most = 12;

export function Latest({ gate, seen }: { gate: string; seen: Passage[] }) {
  const [stored, setStored] = useState<Passage[]>([]);
  const [stale, setStale] = useState(false);
  useEffect(() => {
    let gone = false;
    const load = () => {
      if (document.visibilityState !== 'visible') return;
      call<{ passages: Passage[] | null }>('GET', `/v1/gates/${encodeURIComponent(gate)}/passages?limit=${most}`).then(
        (a) => { if (!gone) { setStored(a.passages ?? []); setStale(false); } },
        () => { if (!gone) setStale(true); },
      );
    };
    setStored([]);
    load();
    const timer = setInterval(load, 15_000);
    return () => { gone = true; clearInterval(timer); };
  }, [gate]);
  const list = merge(seen.filter((p) => p.gate === gate), stored, most);
  return (
    <section class="card">
      <h2>{t('gate.latest')}</h2>
      {stale && <p class="soft small" role="status">{t('gate.latest.stale')}</p>}
      {list.length === 0 ? <p>{t('passages.none')}</p> : <PassageList list={list} />}
    </section>
  );
}

export function PassageList({ list }: { list: Passage[] }) {
  return (
    <ul class="passages">
      {list.map((p) => (
        <li key={p.event}>
          <Shape name={shapeOfColour(p.told ? p.colour : undefined)} class={`ink-${p.told ? p.colour : 'unknown'}`} />
          <div><strong>{decisionWord(p.decision)}</strong> <span class="soft">{colourWord(p.told ? p.colour : undefined)}</span></div>
          <time dateTime={p.at}>{clock(p.at)}</time>
        </li>
      ))}
    </ul>
  );
}
