// CodeCard is the code itself: black on white, the colour as a thick frame, a word and a shape, never animated. The phone makes
// it; without a network it goes on until the credential expires, and then nothing is shown as valid.
import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { age, colourWord, day, moment, time } from '../lib/format';
import { TextField } from '../ui/fields';
import { Qr } from '../ui/Qr';
import { useNow, useWakeLock } from '../ui/hooks';
import { AsText } from './AsText';
import { CardFrame } from './CardFrame';
import { LentCard } from './LentCard';
import type { Phone } from './usePhone';
import { useShow, type Show } from './useShow';

export function CodeCard({ phone }: { phone: Phone }) {
  const at = useNow(1000);
  useWakeLock(true);
  const { vault, error } = phone;
  const { show, answered, another, answer } = useShow(vault);
  const { view } = vault;
  if (view && !view.told) return <Blank phone={phone} word={colourWord(undefined)} text={view.as_of ? t('code.asof.old', { time: moment(view.as_of) }) : t('code.nocode')} />;
  if (!show || at >= show.held.expires) {
    if (phone.lent && at < phone.lent.expires) return <LentCard phone={phone} code={phone.lent} />;
    if (vault.held.length === 0) return view && !error ? <p>{t('common.loading')}</p> : null;
    const ahead = vault.held.some((h) => at < h.issued);
    return <Blank phone={phone} word={t(ahead ? 'code.early' : 'code.expired')} text={t(ahead ? 'code.early.do' : error ? 'code.offline.expired' : 'common.loading')} />;
  }
  const { colour, issued, expires } = show.held;
  const word = view?.label && view.colour === colour ? view.label : colourWord(colour);
  return (
    <CardFrame phone={phone} colour={colour} word={word} at={at} offline={!!error}>
      <div class="qr-box"><Qr text={show.text} label={t('code.qr', { colour: word })} /></div>
      <Slot show={show} at={at} />
      <Answer show={show} left={seconds(answered, at)} onAnswer={answer} onDone={another} />
      <p class="code-facts">{t('code.issued', { age: age(at - issued), time: day(expires) === day(at) ? time(expires) : `${day(expires)} ${time(expires)}` })}</p>
      {view?.as_of && <p class="notice as-of" role="status">{t('code.asof', { time: moment(view.as_of) })}</p>}
      {error !== undefined && <p class="notice" role="status"><strong>{t('code.offline')}</strong> {t('code.offline.text', { time: time(expires), n: seconds(phone.next, at) })}</p>}
      <p class="code-buttons">
        <button type="button" class="second" onClick={another}>{t('code.another')}</button>
        <button type="button" class="second" onClick={phone.refresh}>{t('code.now')}</button>
      </p>
      <p class="soft small">{t('code.bright')}</p>
      <AsText code={show.text} />
    </CardFrame>
  );
}

const seconds = (until: number, at: number): number => Math.max(0, Math.ceil((until - at) / 1000));

// Slot says that the code changes by itself, and when.
function Slot({ show, at }: { show: Show; at: number }) {
  const left = Math.min(30, seconds(show.until, at));
  return (
    <div class="slot">
      <progress max={30} value={left} aria-label={t('code.slot.label')} />
      <span class="small soft">{t('code.slot', { n: left })}</span>
    </div>
  );
}

// Answer is for gates at high-risk posts: the code carries the number on their screen.
function Answer({ show, left, onAnswer, onDone }: { show: Show; left: number; onAnswer: (n: number) => void; onDone: () => void }) {
  const [typed, setTyped] = useState('');
  const type = (s: string) => {
    setTyped(s);
    if (!/^[1-9][0-9]$/.test(s)) return;
    setTyped('');
    onAnswer(Number(s));
  };
  if (show.challenge !== undefined) {
    return (
      <p class="notice answer" role="status">
        <strong data-carries={show.challenge}>{t('code.answer.carries', { n: show.challenge, s: left })}</strong>{' '}
        <button type="button" class="second" onClick={onDone}>{t('code.answer.done')}</button>
      </p>
    );
  }
  return (
    <details class="answer">
      <summary>{t('code.answer')}</summary>
      <TextField label={t('code.answer.label')} inputmode="numeric" maxLength={2} autocomplete="off" value={typed} onInput={type} />
    </details>
  );
}

// Blank is the grey card without a code: no colour could be told, or what there was has expired.
function Blank({ phone, word, text }: { phone: Phone; word: string; text: string }) {
  const at = useNow(1000);
  return (
    <CardFrame phone={phone} word={word} at={at}>
      <p class="no-code" role="status">{text}</p>
      {phone.error !== undefined && <p class="soft small">{t('code.retrying', { n: seconds(phone.next, at) })}</p>}
      <p class="code-buttons"><button type="button" class="second" onClick={phone.refresh}>{t('code.now')}</button></p>
    </CardFrame>
  );
}
