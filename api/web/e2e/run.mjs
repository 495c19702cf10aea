// End-to-end tests in headless Chromium. The states need no server; with KANGMA_BIN (the built kangma) the whole path is
// walked on the real one too, then its end and return, a post that asks for a number, and a server whose Redis is away (where
// redis-server is installed). node e2e/run.mjs states|path|offline|challenge|away runs one part.
import { Run } from './check.mjs';
import { away } from './away.mjs';
import { open } from './browser.mjs';
import { challenge } from './challenge.mjs';
import { offline } from './offline.mjs';
import { path } from './path.mjs';
import { Server } from './server.mjs';
import { states } from './states.mjs';

const run = new Run();
const parts = process.argv.length > 2 ? process.argv.slice(2) : ['states', 'path', 'offline', 'challenge', 'away'];
const bin = process.env.KANGMA_BIN;
if (parts.includes('states')) {
  const browser = await open();
  try {
    await states(run, browser);
  } finally {
    await browser.close();
  }
}
if (!bin) console.log('      KANGMA_BIN is not set: the path on the real server was not walked');
if (bin && parts.includes('path')) await path(run, bin);
for (const [name, part] of [['offline', offline], ['challenge', challenge]]) {
  if (!bin || !parts.includes(name)) continue;
  const server = await Server.start(bin);
  try {
    await part(run, server);
  } finally {
    await server.close();
  }
}
if (bin && parts.includes('away')) await away(run, bin);
console.log(`${run.done} good, ${run.failed} failed`);
process.exitCode = run.failed ? 1 : 0;
