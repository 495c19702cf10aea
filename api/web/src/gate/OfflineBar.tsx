// OfflineBar says in large letters that this device decides by itself, and by how old a list; with a network, in small ones,
// that it could. What waits to be sent is always said.
import { t } from '../i18n';
import { age, time } from '../lib/format';
import { useNow } from '../ui/hooks';
import type { PostState } from './offline/post';

export function OfflineBar({ state, secure, onSend }: { state: PostState; secure: boolean; onSend: () => void }) {
  const at = useNow(1000);
  const { offline, list, ages } = state;
  return (
    <div class={`offline-bar ${offline ? (state.stale || !list ? 'stale' : ages?.amber ? 'amber' : 'on') : ''}`} role="status">
      {offline
        ? <>
          <p class="offline-word">{t('gate.offline')}{list !== undefined && <> · {t('gate.offline.list', { time: time(list) })} <span class="offline-age">({age(at - list)})</span></>}</p>
          {list === undefined ? <p>{t('gate.noready')}</p> : state.stale ? <p><strong>{t('gate.offline.stale')}</strong></p> : ages?.amber && <p><strong>{t('gate.offline.amber')}</strong></p>}
          <p class="small">{t('gate.offline.text', { n: Math.max(0, Math.ceil((state.next - at) / 1000)) })}</p>
        </>
        : secure && <p class="small">{list === undefined ? t('gate.noready') : t('gate.ready', { time: time(list) })}</p>}
      {state.waiting > 0 && <p class="offline-waiting"><strong>{t('gate.waiting', { n: state.waiting })}</strong> <button type="button" class="second" onClick={onSend}>{t('gate.upload')}</button></p>}
      {state.refused > 0 && <p class="offline-waiting"><strong>{t('gate.refused', { n: state.refused })}</strong></p>}
    </div>
  );
}
