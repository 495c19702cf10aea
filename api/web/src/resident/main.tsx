import { render } from 'preact';
import '../styles/base.css';
import { t, useLang } from '../i18n';
import { Shell } from '../ui/Shell';

function Page() {
  useLang();
  return <Shell title="home.resident"><h1>{t('home.resident')}</h1><p>{t('home.resident.text')}</p></Shell>;
}

render(<Page />, document.getElementById('app')!);
