// CodeCard is the code itself: black on white, the colour as a thick frame, a word and a shape, never animated.
import { t } from '../i18n';
import { age, clock, colourWord, date, time } from '../lib/format';
import { useState } from 'preact/hooks';
import { Qr } from '../ui/Qr';
import { Shape, shapeOfColour } from '../ui/Shape';
import { useNow, useWakeLock } from '../ui/hooks';
import type { Shown } from './useCode';

export function CodeCard({ shown }: { shown: Shown }) {
  const at = useNow(1000);
  useWakeLock(true);
  const { last, error } = shown;
  if (!last) return null;
  const v = last.view;
  const expired = at >= Date.parse(v.expires_at);
  const stale = expired || (error !== undefined && at - last.received > 5000);
  const colour = v.told ? v.colour : undefined;
  const word = v.told && v.label ? v.label : colourWord(colour);
  const left = Math.max(0, Math.ceil((shown.next - at) / 1000));
  return (
    <section class={`code-card frame-${stale ? 'stale' : colour ?? 'unknown'}`} aria-label={t('code.title')}>
      <div class="code-head">
        <Shape name={shapeOfColour(colour)} />
        <div>
          <p class="code-word">{word}</p>
          {stale && <p class="code-stale">{t('code.asof', { age: age(at - last.received) })}</p>}
        </div>
      </div>
      <div class="code-body">
        <p class="code-name">{v.masked_name}</p>
        <p class="code-clock" role="timer" aria-live="off">{clock(at)}</p>
        <p class="code-date">{date(at)}</p>
        {v.code
          ? <div class={`qr-box ${expired ? 'old' : ''}`}><Qr text={v.code} label={t('code.qr', { colour: word })} />{expired && <p class="qr-old">{t('code.expired')}</p>}</div>
          : <p class="no-code">{t('code.nocode')}</p>}
        <p class="soft small">
          {stale ? t('code.retrying', { n: left }) : t('code.refresh', { n: left })}
          {' · '}
          <button type="button" class="plain" onClick={shown.refresh}>{t('code.now')}</button>
        </p>
        {stale && <p class="notice" role="status">{t(expired ? 'code.offline.expired' : 'code.offline', { time: time(v.expires_at) })}</p>}
        {!stale && v.code && <p class="soft small">{t('code.bright')}</p>}
        {v.code && !expired && <AsText code={v.code} />}
      </div>
    </section>
  );
}

// AsText gives the text of the code to copy, for gates without a camera.
function AsText({ code }: { code: string }) {
  const [copied, setCopied] = useState('');
  const copy = () => { void navigator.clipboard?.writeText(code).then(() => setCopied(code), () => { /* it can still be selected by hand */ }); };
  return (
    <details class="as-text">
      <summary>{t('code.text')}</summary>
      <code class="code-text">{code}</code>
      {'clipboard' in navigator && <button type="button" class="second" onClick={copy}>{t(copied === code ? 'code.copied' : 'code.copy')}</button>}
    </details>
  );
}
