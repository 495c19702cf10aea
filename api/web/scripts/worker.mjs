// Writes dist/sw.js after a build: the service worker with the list of what it keeps. The version is a hash of all of it.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// The pages that open without a network, and the parts of their scripts that are fetched later.
const pages = { '/': 'index.html', '/resident': 'resident.html', '/gate': 'gate.html' };
const later = /^(scan\.worker|seal|zxing_reader)-/;

export function writeWorker(dist, source) {
  const read = (file) => readFileSync(join(dist, file));
  const named = (html) => [...html.toString().matchAll(/(?:src|href)="\/([^"]+)"/g)].map((m) => m[1]).filter((f) => f.includes('.'));
  const shell = [...new Set(Object.values(pages).flatMap((p) => named(read(p))))].sort();
  const gate = readdirSync(join(dist, 'assets')).filter((f) => later.test(f)).map((f) => `assets/${f}`).sort();
  if (gate.length !== 3) throw new Error(`the scanner's worker, its WebAssembly and what seals were not found: ${gate}`);
  const text = readFileSync(source, 'utf8');
  const version = createHash('sha256').update(text);
  for (const f of [...Object.values(pages), ...shell, ...gate]) version.update(f).update(read(f));
  const json = (v) => JSON.stringify(v);
  const addresses = (files) => json(files.map((f) => `/${f}`));
  writeFileSync(join(dist, 'sw.js'), text
    .replace('%version%', version.digest('hex').slice(0, 16)).replace('%pages%', json(pages)).replace('%shell%', addresses(shell)).replace('%gate%', addresses(gate)));
}
