// The service worker: it opens the resident's and the gate's page with no network. It keeps static files only, by the list
// that the build writes below, and never looks at anything else: what the API answers is personal and stays out of it.
// A new version is fetched whole before it is used, and takes over when the page says so.
const version = '226955d639682e5f';
const pages = JSON.parse('{"/":"index.html","/resident":"resident.html","/gate":"gate.html"}'); // address -> file of the build
const shell = JSON.parse('["/assets/Shape-DYc6OhoE.js","/assets/Shape-jfMoUAVl.css","/assets/Shell-Bsb-qW-h.css","/assets/Shell-CcbQRRtv.js","/assets/StaffLogIn-kzmddood.js","/assets/backoff-DxvxPHu1.js","/assets/favicon-D2BKGGnK.svg","/assets/gate-C69STvpd.css","/assets/gate-CiDr4Fki.js","/assets/index-Dg1si2UL.js","/assets/resident-DlsmL7-y.css","/assets/resident-IGlHOTfU.js","/gate.webmanifest","/icon-192.png","/resident.webmanifest"]'); // what the pages need
const gate = JSON.parse('["/assets/scan.worker-D66f-AGs.js","/assets/seal-DipHEFoy.js","/assets/zxing_reader-Bb9Mx2Pu.wasm"]'); // what only a gate needs, a megabyte: fetched when a gate asks for it

const name = `kangma-${version}`;
const ours = new Set([...Object.keys(pages), ...shell, ...gate]);

// fill fetches what is missing. Names under /assets/ carry a hash of their content, so an older version's file is the same.
async function fill(paths) {
  const cache = await caches.open(name);
  await Promise.all(paths.map(async (path) => {
    if (await cache.match(path)) return;
    const known = path.startsWith('/assets/') ? await caches.match(path) : undefined;
    const answer = known || await fetch(new Request(path, { cache: 'reload', credentials: 'same-origin' }));
    if (!answer.ok || answer.redirected) throw new Error(`${path}: ${answer.status}`);
    await cache.put(path, answer);
  }));
}

self.addEventListener('install', (e) => {
  e.waitUntil((async () => {
    const atGate = gate.length > 0 && (await Promise.all((await caches.keys()).map(async (k) => Boolean(await (await caches.open(k)).match('/kangma-gate'))))).some(Boolean);
    await fill([...Object.keys(pages), ...shell, ...(atGate ? gate : [])]);
    if (atGate) await mark();
  })());
});

// mark notes that this device is a gate's, so that a new version brings what a gate needs.
async function mark() {
  await (await caches.open(name)).put('/kangma-gate', new Response(''));
}

self.addEventListener('activate', (e) => {
  e.waitUntil((async () => {
    for (const k of await caches.keys()) if (k.startsWith('kangma-') && k !== name) await caches.delete(k);
    await self.clients.claim();
  })());
});

self.addEventListener('message', (e) => {
  if (e.data === 'take over') self.skipWaiting();
  if (e.data === 'gate') e.waitUntil(fill(gate).then(mark).then(() => e.source && e.source.postMessage('gate ready'), () => {}));
});

self.addEventListener('fetch', (e) => {
  const url = new URL(e.request.url);
  if (e.request.method !== 'GET' || url.origin !== self.location.origin || !ours.has(url.pathname)) return;
  e.respondWith((async () => (await (await caches.open(name)).match(url.pathname)) || fetch(e.request))());
});
