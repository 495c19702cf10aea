// Says whether the committed dist is what the sources build, new and missing files included. Run it after a build.
import { execFileSync } from 'node:child_process';

const changed = execFileSync('git', ['status', '--porcelain', '--', 'dist'], { cwd: new URL('..', import.meta.url), encoding: 'utf8' });
if (changed) {
  console.error(`dist is not what the sources build: commit the build\n${changed}`);
  process.exit(1);
}
console.log('dist is what the sources build');
