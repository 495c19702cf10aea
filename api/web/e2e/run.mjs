// End-to-end tests in headless Chromium. The states need no server; with KANGMA_BIN (the built kangma) the whole path is
// walked on the real one too.
import { Run } from './check.mjs';
import { open } from './browser.mjs';
import { states } from './states.mjs';

const run = new Run();
const browser = await open();
try {
  await states(run, browser);
} finally {
  await browser.close();
}
if (process.env.KANGMA_BIN) {
  const { path } = await import('./path.mjs');
  await path(run, process.env.KANGMA_BIN);
} else {
  console.log('      KANGMA_BIN is not set: the path on the real server was not walked');
}
console.log(`${run.done} good, ${run.failed} failed`);
process.exitCode = run.failed ? 1 : 0;
