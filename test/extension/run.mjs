// The extension's tests in a real VS Code: the suite inside the extension host (from the development tree and from the
// packaged VSIX), and the workbench driven by keyboard and mouse. Needs a build with --tests.
//   node test/extension/run.mjs [--full] [--only host,vsix,ui,floor-host,…]     --full adds the floor version
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  CURRENT_VERSION,
  FLOOR_VERSION,
  ensureChrome,
  ensureServer,
  serverObstacle,
} from '../../scripts/vscode-server.mjs';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');
process.chdir(root);

const option = process.argv.indexOf('--only');
const only = option === -1 ? undefined : (process.argv[option + 1] ?? '').split(',');
const full = process.argv.includes('--full') || process.env.CTX_TEST_FULL === '1';
const say = (text) => console.error(text);

const { runLegs, desktopLeg } = await import(pathToFileURL(path.join(root, 'dist-test/extension/legs.js')).href);

/** What the legs need, or why this machine cannot have it. */
function provide() {
  const obstacle = serverObstacle();
  if (obstacle !== undefined) return { obstacle };
  try {
    const versions =
      full || only?.some((name) => name.startsWith('floor')) ? [CURRENT_VERSION, FLOOR_VERSION] : [CURRENT_VERSION];
    return {
      chrome: ensureChrome(say),
      servers: versions.map((version) => ({ version, install: ensureServer(version, say) })),
    };
  } catch (error) {
    // In CI everything must run: there, what is missing is a failure.
    if (process.env.CI) throw error;
    return { obstacle: error.message };
  }
}

const provided = provide();
const counts =
  provided.obstacle === undefined
    ? await runLegs({ root, only, ...provided })
    : await desktopLeg({ root, why: provided.obstacle });
console.log(
  `${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`,
);
process.exit(counts.failed > 0 || counts.passed + counts.skipped === 0 ? 1 : 0);
