// How times, places and colours are written. Days and hours are those of China, whatever the phone is set to.
import { lang, t, type Key } from '../i18n';
import type { Colour, Decision } from './types';

const zone = 'Asia/Shanghai';
const locale = (): string => (lang() === 'zh' ? 'zh-CN' : 'en-GB');

function write(at: number | string | Date, options: Intl.DateTimeFormatOptions): string {
  const d = new Date(at);
  return Number.isNaN(d.getTime()) ? t('common.dash') : new Intl.DateTimeFormat(locale(), { timeZone: zone, hourCycle: 'h23', ...options }).format(d);
}

// clock gives 08:05:09, time 08:05, day "7月10日" or "10 July", moment day and time together.
export const clock = (at: number | string): string => write(at, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
export const time = (at: number | string): string => write(at, { hour: '2-digit', minute: '2-digit' });
export const day = (at: number | string): string => write(at, { day: 'numeric', month: 'long' });
export const date = (at: number | string): string => write(at, { day: 'numeric', month: 'long', year: 'numeric' });
export const moment = (at: number | string): string => `${day(at)} ${time(at)}`;

// localInput gives what <input type="datetime-local"> holds for a moment, in China's time; fromLocalInput is its inverse.
export function localInput(at: number): string {
  return new Date(at + 8 * 3_600_000).toISOString().slice(0, 16);
}
export function fromLocalInput(text: string): string {
  return text === '' ? '' : new Date(`${text.slice(0, 16)}:00+08:00`).toISOString();
}

// age says how long ago something was, in the largest fitting unit. ms is not negative.
export function age(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return t('age.seconds', { n: s });
  if (s < 3600) return t('age.minutes', { n: Math.floor(s / 60) });
  if (s < 86_400) return t('age.hours', { n: Math.floor(s / 3600) });
  return t('age.days', { n: Math.floor(s / 86_400) });
}

export const colourWord = (c: Colour | undefined): string => t(c ? (`colour.${c}` as Key) : 'colour.unknown');
export const decisionWord = (d: Decision): string => t(`decision.${d}` as Key);
