// Shell is what every page has: the header with language and text size, the content, and nothing else.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { applyLang, setLang, t, useLang, type Key } from '../i18n';
import { keepPages, useNewer } from '../lib/worker';

const largeKey = 'kangma.large';

function keptLarge(): boolean {
  try { return localStorage.getItem(largeKey) === '1'; } catch { return false; }
}

interface Props { title: Key; children: ComponentChildren; onLogout?: () => void; wide?: boolean }

export function Shell({ title, children, onLogout, wide }: Props) {
  const lang = useLang();
  const [large, setLarge] = useState(keptLarge);
  const [newer, setNewer] = useState(false);
  useEffect(() => keepPages(() => setNewer(true)), []);
  useEffect(() => {
    applyLang();
    document.title = `${t(title)} · ${t('app.name')}`;
  }, [lang, title]);
  useEffect(() => {
    document.documentElement.classList.toggle('large', large);
    try { localStorage.setItem(largeKey, large ? '1' : '0'); } catch { /* not kept */ }
  }, [large]);
  return (
    <>
      <a class="skip" href="#main">{t('nav.skip')}</a>
      <header class="bar">
        <a class="brand" href="/" aria-label={t('nav.home')}><Mark /><span>{t('app.name')}</span></a>
        <nav>
          <button type="button" class="quiet" aria-pressed={large} onClick={() => setLarge(!large)}>{t(large ? 'nav.large.on' : 'nav.large')}</button>
          <button type="button" class="quiet" lang={lang === 'zh' ? 'en' : 'zh-CN'} aria-label={t('nav.language.label')} onClick={() => setLang(lang === 'zh' ? 'en' : 'zh')}>{t('nav.language')}</button>
          {onLogout && <button type="button" class="quiet" onClick={onLogout}>{t('nav.logout')}</button>}
        </nav>
      </header>
      {newer && <p class="newer" role="status">{t('nav.newer')} <button type="button" class="second" onClick={useNewer}>{t('nav.newer.take')}</button></p>}
      <main id="main" tabIndex={-1} class={wide ? 'wide' : ''}>{children}</main>
    </>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <path d="M6 6h8v8H6zM18 6h8v8h-8zM6 18h8v8H6z" fill="currentColor" />
      <path d="m17 22 3.5 3.5L27 18" fill="none" stroke="currentColor" stroke-width="3.5" />
    </svg>
  );
}
