// What is shown: times, places, hours, the QR and when it is fetched again.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import decodeQR from 'qr/decode.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { say, setLang } from '../src/i18n';
import { age, clock, day, fromLocalInput, localInput, moment } from '../src/lib/format';
import { Table } from '../src/lib/divisions';
import { hours, merge, steps } from '../src/lib/passages';
import { qrPath } from '../src/lib/qrpath';
import type { ByHour, Passage } from '../src/lib/types';

describe('times', () => {
  const at = '2022-07-09T16:05:09Z'; // in China already the 10th
  beforeEach(() => setLang('en'));
  it('are those of China, whatever the device is set to', () => {
    expect(clock(at)).toBe('00:05:09');
    expect(day(at)).toBe('10 July');
    setLang('zh');
    expect(moment(at)).toBe('7月10日 00:05');
  });
  it('that are missing are a dash', () => expect(clock('')).toBe('—'));
  it('go into a form and come back', () => {
    expect(localInput(Date.parse(at))).toBe('2022-07-10T00:05');
    expect(fromLocalInput('2022-07-10T00:05')).toBe('2022-07-09T16:05:00.000Z');
    expect(fromLocalInput('')).toBe('');
  });
  it.each([[0, '0 s ago'], [59_999, '59 s ago'], [60_000, '1 min ago'], [3_600_000, '1 h ago'], [90_000_000, '1 days ago'], [-5, '0 s ago']])('%i ms is %s', (ms, want) => expect(age(ms)).toBe(want));
  it('a sentence missing in one language is said in the other', () => {
    expect(say({ zh: '好', en: '' })).toBe('好');
    expect(say(undefined)).toBe('');
  });
});

describe('the QR', () => {
  // As long as a shown code gets: 262 alphanumeric characters are version 9 at level M.
  const text = 'KM1:' + '6BFOXN TS3DH0YOJ58S-W5HDC*M0II5XHC9B5G2+$/.%'.repeat(6).slice(0, 258);
  it('stays at version 9 (53 modules and a quiet zone of 4)', () => expect(qrPath(text).size).toBe(53 + 8));
  it('takes level L where M would need version 10', () => {
    expect(qrPath(text + 'A'.repeat(335 - text.length)).size).toBe(53 + 8);
    expect(qrPath(text.slice(0, 221)).size).toBe(49 + 8);
  });
  it('is drawn so that a reader reads the same text', () => {
    const { size, d } = qrPath(text);
    const scale = 4;
    const data = new Uint8Array(size * size * scale * scale * 4).fill(255);
    for (const [, x, y, w] of d.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
      for (let py = Number(y) * scale; py < (Number(y) + 1) * scale; py++) {
        for (let px = Number(x) * scale; px < (Number(x) + Number(w)) * scale; px++) data.fill(0, (py * size * scale + px) * 4, (py * size * scale + px) * 4 + 3);
      }
    }
    expect(decodeQR({ width: size * scale, height: size * scale, data })).toBe(text);
  });
});

describe('divisions', () => {
  const table = new Table(readFileSync(join(import.meta.dirname, '../src/data/divisions.txt'), 'utf8'));
  it('list provinces, cities and counties', () => {
    expect(table.within('000000')).toHaveLength(34);
    expect(table.within('440000').map((d) => d.name)).toContain('广州市');
    expect(table.within('440100').find((d) => d.code === '440103')?.name).toBe('荔湾区');
    expect(table.within('441900')).toEqual([]);
  });
  it('name a place in full, without the table\'s placeholders', () => {
    expect(table.name('440103')).toBe('广东省 广州市 荔湾区');
    expect(table.name('440103001')).toBe('广东省 广州市 荔湾区');
    expect(table.name('110101')).toBe('北京市 东城区');
    expect(table.name('')).toBe('');
  });
});

const passage = (event: string, at: string) => ({ event, at }) as Passage;

describe('lists of passages', () => {
  it('show each event once, newest first', () => {
    const a = [passage('1', '2022-07-10T01:00:00Z')];
    const b = [passage('2', '2022-07-10T10:00:00+08:00'), passage('1', '2022-07-10T01:00:00Z'), passage('0', '2022-07-10T00:30:00Z')];
    expect(merge(a, b, 9).map((p) => p.event)).toEqual(['2', '1', '0']);
    expect(merge(a, b, 2)).toHaveLength(2);
  });
  it('count every hour, also those without any', () => {
    const got = hours({ since: '2022-07-10T00:30:00Z', until: '2022-07-10T03:10:00Z', rows: [{ keys: ['2022-07-10T09:00:00+08:00'], count: 4 }, { keys: ['?'], count: 9 }] } as ByHour);
    expect(got.map((h) => h.count)).toEqual([0, 4, 0, 0]);
    expect(hours({ since: '2022-07-10T00:00:00Z', until: '2022-07-10T01:00:00Z', rows: null } as ByHour)).toHaveLength(1);
  });
  it.each([[0, [0, 1]], [3, [0, 1, 2, 3]], [7, [0, 2, 4, 6, 8]], [100, [0, 50, 100]], [1234, [0, 500, 1000, 1500]]])('put round marks up to %i', (most, want) => expect(steps(most)).toEqual(want));
});
