import { render } from 'preact';
import '../styles/base.css';
import { t, useLang } from '../i18n';
import { Shell } from '../ui/Shell';

function Page() {
  useLang();
  return <Shell title="home.gate"><h1>{t('home.gate')}</h1><p>{t('home.gate.text')}</p></Shell>;
}

render(<Page />, document.getElementById('app')!);
