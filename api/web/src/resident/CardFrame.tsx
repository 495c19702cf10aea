// CardFrame is what every code card has: the word and its shape, whether the server is out of reach, the masked name and the time that runs.
import type { ComponentChildren } from 'preact';
import { t } from '../i18n';
import { clock, date } from '../lib/format';
import { Shape, shapeOfColour } from '../ui/Shape';
import type { Colour } from '../lib/types';
import type { Phone } from './usePhone';

interface Frame { phone: Phone; colour?: Colour; word: string; at: number; offline?: boolean; children: ComponentChildren }

// colour: undefined where none could be told. offline: the frame says so too.
export function CardFrame({ phone, colour, word, at, offline, children }: Frame) {
  return (
    <section class={`code-card frame-${colour ?? 'unknown'}${offline ? ' frame-offline' : ''}`} aria-label={t('code.title')}>
      <div class="code-head">
        <Shape name={colour ? shapeOfColour(colour) : 'unknown'} />
        <p class="code-word">{word}</p>
        {phone.error !== undefined && <p class="code-chip">{t('code.chip')}</p>}
      </div>
      <div class="code-body">
        <p class="code-name">{phone.vault.view?.masked_name}</p>
        <p class="code-clock" role="timer" aria-live="off">{clock(at)}</p>
        <p class="code-date">{date(at)}</p>
        {children}
      </div>
    </section>
  );
}
