// The service worker keeps the pages for when there is no network. Only a secure page has one.
let registration: ServiceWorkerRegistration | undefined;
let asked = false;

// keepPages starts it. onNewer is called when a newer version of the page waits to be used.
export function keepPages(onNewer: () => void): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  const workers = navigator.serviceWorker;
  const before = workers.controller !== null;
  const reload = () => location.reload();
  workers.addEventListener('controllerchange', () => {
    if (!before) return; // the first one takes over a page that is as new as itself
    if (asked || document.visibilityState === 'hidden') return reload();
    document.addEventListener('visibilitychange', reload, { once: true }); // another tab asked: not under the hands of this one
  });
  workers.register('/sw.js', { updateViaCache: 'none' }).then((r) => {
    registration = r;
    const look = () => { if (r.waiting && workers.controller) onNewer(); };
    look();
    r.addEventListener('updatefound', () => r.installing?.addEventListener('statechange', look));
    setInterval(() => { r.update().catch(() => { /* no network */ }); }, 3_600_000);
  }, () => { /* refused by the browser: the pages need a network */ });
}

// useNewer lets the waiting version take over; the page loads again.
export function useNewer(): void {
  asked = true;
  registration?.waiting?.postMessage('take over');
}

// keepScanner has the scanner's megabyte kept too, for a device at a gate.
export function keepScanner(): void {
  if ('serviceWorker' in navigator) void navigator.serviceWorker.ready.then((r) => r.active?.postMessage('gate'));
}
