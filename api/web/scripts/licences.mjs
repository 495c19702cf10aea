// Makes THIRD-PARTY.md: the licences of the npm packages that are shipped in dist, as their packages carry them.
// With --check it only says whether the file is up to date.
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('..', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');
// The names of the licence files differ; zxing-wasm carries ZXing-C++ (Apache-2.0) inside its WebAssembly.
const files = { preact: ['LICENSE'], qr: ['LICENSE-MIT'], idb: ['LICENSE'], '@noble/hashes': ['LICENSE'], 'zxing-wasm': ['LICENSE'], '@hpke/core': ['LICENSE'], '@hpke/common': ['LICENSE'] };
const notes = { 'zxing-wasm': 'The WebAssembly in it is built from ZXing-C++ (https://github.com/zxing-cpp/zxing-cpp), Apache License 2.0: https://www.apache.org/licenses/LICENSE-2.0' };

let text = '# Third-party software in the web pages\n\nShipped in `dist`. Made by `npm run licences`. Tools that only build or test are not listed.\n';
const brought = ['@hpke/common']; // shipped with @hpke/core
for (const name of [...Object.keys(JSON.parse(read('package.json')).dependencies), ...brought]) {
  const pkg = JSON.parse(read(`node_modules/${name}/package.json`));
  if (!files[name]) throw new Error(`say which file is the licence of ${name}`);
  text += `\n## ${name} ${pkg.version} (${pkg.license})\n\n${notes[name] ? notes[name] + '\n\n' : ''}`;
  for (const f of files[name]) text += '```\n' + read(`node_modules/${name}/${f}`).trim() + '\n```\n';
}
if (process.argv.includes('--check')) {
  if (read('THIRD-PARTY.md') !== text) {
    console.error('THIRD-PARTY.md is out of date: run npm run licences');
    process.exit(1);
  }
} else {
  writeFileSync(new URL('THIRD-PARTY.md', root), text);
}
