// Makes src/data/divisions.txt from the table that the server embeds: provinces, cities and counties, without streets.
// With --check it only says whether the file is up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const from = new URL('../../../risk/areas/divisions/divisions.txt.gz', import.meta.url);
const to = new URL('../src/data/divisions.txt', import.meta.url);
const lines = gunzipSync(readFileSync(from)).toString('utf8').split('\n').filter((l) => /^\d{2}(\d{2}){0,2} /.test(l));
const text = lines.join('\n') + '\n';
if (process.argv.includes('--check')) {
  if (readFileSync(to, 'utf8') !== text) {
    console.error('src/data/divisions.txt is not made from the server\'s table: run npm run divisions');
    process.exit(1);
  }
} else {
  writeFileSync(to, text);
}
console.log(`${lines.length} divisions`);
