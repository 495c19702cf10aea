import { useState } from 'preact/hooks';
import { t } from '../i18n';

// AsText gives the text of the code to copy, for gates without a camera.
export function AsText({ code }: { code: string }) {
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
