// `npm run nightly [-- RUNS]`: the properties of sync with 10,000 random cases each, in each mode where modes differ, and as many
// scenarios of several devices. A failure prints its seed, the path to its smallest case, and that case: SPACEDRIVE_SEED and
// SPACEDRIVE_CASE look at it again, with RUNS at 1 or more.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const runs = process.argv[2] ?? '10000'
const specs = ['reconcile/properties', 'reconcile/unknown', 'reconcile/halted', 'simulation/simulation'].map(
  name => `--spec=dist/test/sync/${name}.spec.js`
)
const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', join(root, 'node_modules/mocha/bin/mocha.js'), '--timeout', '0', ...specs],
  { cwd: root, stdio: 'inherit', env: { ...process.env, SPACEDRIVE_RUNS: runs } }
)
process.exit(status ?? 1)
