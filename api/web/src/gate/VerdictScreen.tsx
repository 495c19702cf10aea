// VerdictScreen fills the whole screen with the outcome of one scan.
import { useEffect, useRef } from 'preact/hooks';
import { say, t, useLang } from '../i18n';
import { clock, colourWord, decisionWord, time } from '../lib/format';
import type { Verdict } from '../lib/types';
import { sentence } from '../ui/Problems';
import { Shape, shapeOfColour } from '../ui/Shape';
import { lookOf } from './look';

interface Props { verdict: Verdict; list?: number; challenge?: number; onNext: () => void }

const answerable = ['challenge_missing', 'challenge_wrong']; // the person tries again with the number

export function VerdictScreen({ verdict: v, list, challenge, onNext }: Props) {
  useLang();
  const look = lookOf(v);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    button.current?.focus({ preventScroll: true }); // the word must stay in view
    if (look.next === 0) return;
    const timer = setTimeout(onNext, look.next);
    return () => clearTimeout(timer);
  }, [v.event]);
  return (
    <div class={`verdict fill-${look.fill}`} role="alertdialog" aria-modal="true" aria-labelledby="verdict-word" aria-describedby="verdict-why" data-decision={v.decision} data-event={v.event}>
      <div class="verdict-top">
        <Shape name={v.told ? look.shape : look.shape === 'octagon' ? 'octagon' : 'unknown'} />
        <p id="verdict-word" class="verdict-word">{t(look.word)}</p>
        <p class="verdict-decision">{decisionWord(v.decision)}</p>
      </div>
      <div class="verdict-facts">
        {v.flags?.includes('offline') && list !== undefined && <p class="verdict-offline">{t('verdict.offline', { time: time(list) })}</p>}
        <p class="verdict-who">
          {v.masked_name && <strong>{v.masked_name}</strong>}
          {v.id_tail && <span> ···{v.id_tail}</span>}
        </p>
        <p class="verdict-colour"><Shape name={shapeOfColour(v.told ? v.colour : undefined)} class="inline" /> {colourWord(v.told ? v.colour : undefined)} · {clock(v.at)}</p>
        <div id="verdict-why">
          <p class="verdict-why">{say(v.why)}</p>
          <p class="verdict-do">{say(v.guidance)}</p>
        </div>
        {challenge !== undefined && answerable.includes(v.reason) && <p class="challenge-number">{challenge}</p>}
      </div>
      <button ref={button} type="button" class="verdict-next" onClick={onNext}>{t('verdict.next')}</button>
      {look.next > 0 && <span class="verdict-bar" aria-hidden="true" />}
    </div>
  );
}

// ShutScreen is what any failure looks like: nothing was decided, and the barrier stays shut.
export function ShutScreen({ error, onAgain, onNext }: { error: unknown; onAgain: () => void; onNext: () => void }) {
  useLang();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus({ preventScroll: true }), [error]);
  return (
    <div class="verdict fill-shut" role="alertdialog" aria-modal="true" aria-labelledby="verdict-word" aria-describedby="verdict-why" data-decision="none">
      <div class="verdict-top">
        <Shape name="octagon" />
        <p id="verdict-word" class="verdict-word">{t('verdict.shut')}</p>
        <p class="verdict-decision">{t('verdict.shut.decision')}</p>
      </div>
      <div class="verdict-facts" id="verdict-why">
        <p class="verdict-why">{sentence(error)}</p>
        <p class="verdict-do">{t('verdict.shut.do')}</p>
      </div>
      <div class="verdict-buttons">
        <button ref={button} type="button" class="verdict-next" onClick={onAgain}>{t('verdict.again')}</button>
        <button type="button" class="verdict-next" onClick={onNext}>{t('verdict.next')}</button>
      </div>
    </div>
  );
}
