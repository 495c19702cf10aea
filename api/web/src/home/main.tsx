import { render } from 'preact';
import '../styles/base.css';
import { t, useLang, type Key } from '../i18n';
import { Shell } from '../ui/Shell';

const doors: { href: string; name: Key; text: Key }[] = [
  { href: '/resident', name: 'home.resident', text: 'home.resident.text' },
  { href: '/gate', name: 'home.gate', text: 'home.gate.text' },
  { href: '/office', name: 'home.office', text: 'home.office.text' },
  { href: '/vehicle', name: 'home.vehicle', text: 'home.vehicle.text' },
];

function Home() {
  useLang();
  return (
    <Shell title="app.tagline">
      <h1>{t('home.title')}</h1>
      <ul class="doors">
        {doors.map((d) => (
          <li key={d.href}><a class="card door" href={d.href}><strong>{t(d.name)}</strong><span>{t(d.text)}</span></a></li>
        ))}
      </ul>
    </Shell>
  );
}

render(<Home />, document.getElementById('app')!);
