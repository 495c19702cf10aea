// LentCard shows the server's own code while the phone has none and the register does not answer: good for some 90 s, and replaced as long as
// there is a network. It carries no number of a gate.
import { t } from '../i18n';
import { colourWord, moment } from '../lib/format';
import { Qr } from '../ui/Qr';
import { useNow } from '../ui/hooks';
import { AsText } from './AsText';
import { CardFrame } from './CardFrame';
import type { Phone } from './usePhone';
import type { Lent } from './vault';

export function LentCard({ phone, code }: { phone: Phone; code: Lent }) {
  const at = useNow(1000);
  const { view } = phone.vault;
  const word = view?.label && view.colour === code.colour ? view.label : colourWord(code.colour);
  return (
    <CardFrame phone={phone} colour={code.colour} word={word} at={at}>
      <div class="qr-box"><Qr text={code.code} label={t('code.qr', { colour: word })} /></div>
      <p class="code-facts">{t('code.lent', { n: Math.max(0, Math.ceil((code.expires - at) / 1000)) })}</p>
      {view?.as_of && <p class="notice as-of" role="status">{t('code.asof', { time: moment(view.as_of) })}</p>}
      <p class="code-buttons"><button type="button" class="second" onClick={phone.refresh}>{t('code.now')}</button></p>
      <p class="soft small">{t('code.bright')}</p>
      <AsText code={code.code} />
    </CardFrame>
  );
}
