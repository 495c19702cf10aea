// The vehicle page says honestly what there is: nothing yet but the gate.
import { render } from 'preact';
import '../styles/base.css';
import { t, useLang } from '../i18n';
import { Shell } from '../ui/Shell';

function Vehicle() {
  useLang();
  return (
    <Shell title="vehicle.title">
      <h1>{t('vehicle.title')}</h1>
      <div class="card">
        <p>{t('vehicle.now')}</p>
        <p>{t('vehicle.do')}</p>
        <p><a class="button" href="/gate">{t('vehicle.gate')}</a></p>
      </div>
    </Shell>
  );
}

render(<Vehicle />, document.getElementById('app')!);
