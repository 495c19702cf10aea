// How failures are said: one clear sentence, what to do, and the number to tell staff.
import { t } from '../i18n';
import { Problem, Unreached } from '../lib/api';
import { Refused } from '../lib/refused';

// sentence turns any failure into words for ordinary people. The server's own detail is already in the page's language.
export function sentence(err: unknown): string {
  if (err instanceof Problem) {
    const wait = err.retryAfter > 5 ? ' ' + t('error.retryAfter', { n: err.retryAfter }) : '';
    return (err.detail && err.status < 500 || err.status === 503 && err.detail ? err.detail : t('error.server')) + wait;
  }
  if (err instanceof Refused) return t('error.scan');
  if (err instanceof DOMException) return t('error.disk'); // of the device's own store
  if (err instanceof Unreached) return t(err.why === 'timeout' ? 'error.timeout' : err.why === 'answer' ? 'error.answer' : 'error.offline');
  return t('error.answer');
}

// faultAt finds what the server said of one field of the body.
export function faultAt(err: unknown, field: string): string {
  if (!(err instanceof Problem)) return '';
  return err.faults.find((f) => f.location === `body.${field}` || f.location.startsWith(`body.${field}[`))?.message ?? '';
}

export function ProblemBox({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  if (!error) return null;
  const request = error instanceof Problem && error.status >= 500 ? error.request : '';
  return (
    <div class="problem" role="alert">
      <strong>{t('error.title')}</strong>
      <p>{sentence(error)}</p>
      {request && <p class="small">{t('error.request')}: <code>{request}</code></p>}
      {onRetry && <button type="button" class="second" onClick={onRetry}>{t('common.retry')}</button>}
    </div>
  );
}
