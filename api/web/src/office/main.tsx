import { render } from 'preact';
import '../styles/base.css';
import { t, useLang } from '../i18n';
import { Shell } from '../ui/Shell';

function Page() {
  useLang();
  return <Shell title="home.office"><h1>{t('home.office')}</h1><p>{t('home.office.text')}</p></Shell>;
}

render(<Page />, document.getElementById('app')!);
