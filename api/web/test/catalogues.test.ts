import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { translate, type Key } from '../src/i18n';
import { en } from '../src/i18n/en';
import { zh } from '../src/i18n/zh';

const holes = (s: string) => (s.match(/\{\w+\}/g) ?? []).sort();
const keys = Object.keys(zh) as Key[];

function sources(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) =>
    e.isDirectory() ? sources(join(dir, e.name)) : /\.tsx?$/.test(e.name) && !dir.endsWith('i18n') ? [readFileSync(join(dir, e.name), 'utf8')] : []);
}
const code = sources(join(import.meta.dirname, '../src')).join('\n');

describe('the catalogues', () => {
  it('have the same keys in both languages', () => expect(Object.keys(en).sort()).toEqual([...keys].sort()));
  it('have the same placeholders in every text, and no empty text', () => {
    expect(keys.filter((k) => holes(en[k]).join() !== holes(zh[k]).join())).toEqual([]);
    expect(keys.filter((k) => en[k].trim() === '' || zh[k].trim() === '')).toEqual([]);
  });
  it('have Chinese in the Chinese one and none in the English one, but for the name of the other language', () => {
    const han = /\p{Script=Han}/u;
    expect(keys.filter((k) => han.test(en[k]))).toEqual(['nav.language']);
    expect(keys.filter((k) => !han.test(zh[k])).sort()).toEqual(['common.dash', 'nav.language']);
  });
  it('hold no key that no page uses', () => {
    // Keys that are put together while running begin with one of these.
    const made = /^(colour|decision|document|mode|symptom|tab|camera|common\.(yes|no|unsure)$|tell)\b/;
    expect(keys.filter((k) => !made.test(k) && !code.includes(`'${k}'`) && !code.includes(`"${k}"`))).toEqual([]);
  });
  it('fill placeholders and leave unknown ones', () => {
    expect(translate('en', 'age.minutes', { n: 3 })).toBe('3 min ago');
    expect(translate('en', 'age.minutes')).toBe('{n} min ago');
  });
});
