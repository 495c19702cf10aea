// The other ways to give a code: paste or type it, a photo file, a hand scanner.
import type { TargetedEvent, TargetedSubmitEvent } from 'preact';
import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { photo, Reader } from './reader';

export function OtherWays({ onFound }: { onFound: (code: string) => void }) {
  const [text, setText] = useState('');
  const [note, setNote] = useState('');
  const submit = (e: TargetedSubmitEvent<HTMLFormElement>) => {
    e.preventDefault();
    if (text.trim() === '') return;
    onFound(text.trim());
    setText('');
  };
  const read = async (e: TargetedEvent<HTMLInputElement>) => {
    const input = e.currentTarget;
    const file = input.files?.[0];
    if (!file) return;
    setNote(t('common.loading'));
    const reader = new Reader();
    try {
      const code = await reader.read(await photo(file), true);
      setNote(code ? '' : t('gate.photo.none'));
      if (code) onFound(code);
    } catch {
      setNote(t('gate.photo.bad'));
    } finally {
      reader.close();
      input.value = ''; // the same file may be chosen again
    }
  };
  return (
    <div class="ways">
      <form onSubmit={submit}>
        <label for="paste">{t('gate.paste')}</label>
        <div class="row">
          <input id="paste" class="grow" autocomplete="off" autocapitalize="characters" spellcheck={false} maxLength={4096} value={text} onInput={(e) => setText(e.currentTarget.value)} />
          <button>{t('gate.check')}</button>
        </div>
      </form>
      <label class="button second file">
        {t('gate.photo')}
        <input type="file" accept="image/*" onChange={(e) => void read(e)} />
      </label>
      <p role="status">{note}</p>
      <p class="soft small">{t('gate.wedge')}</p>
    </div>
  );
}
