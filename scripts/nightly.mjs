// `npm run nightly [-- RUNS]`: the properties of sync with 10,000 random histories each. A failure prints its seed and history.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const runs = process.argv[2] ?? '10000'
const specs = ['properties'].map(name => `--spec=dist/test/sync/reconcile/${name}.spec.js`)
const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', join(root, 'node_modules/mocha/bin/mocha.js'), '--timeout', '0', ...specs],
  { cwd: root, stdio: 'inherit', env: { ...process.env, SPACEDRIVE_RUNS: runs } }
)
process.exit(status ?? 1)
