// `npm run nightly [-- RUNS]`: what takes too long for each change. The properties of sync with 10,000 random cases each, in each mode
// where modes differ, and as many scenarios of several devices; a failure prints its seed, the path to its smallest case, and
// that case: SPACEDRIVE_SEED and SPACEDRIVE_CASE look at it again, with RUNS at 1 or more. Then operations on files, killed
// and cut short over and over.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const runs = process.argv[2] ?? '10000'
const sync = [
  'reconcile/properties',
  'reconcile/unknown',
  'reconcile/halted',
  'reconcile/cut-off',
  'simulation/simulation'
]
const parts = [
  { specs: sync.map(name => `sync/${name}`), env: { SPACEDRIVE_RUNS: runs } },
  { specs: ['sync/session/power-cut'], env: { SYNC_CUTS: '40' } },
  { specs: ['sync/session/disk-errors'], env: { SYNC_FAULTS: 'all' } },
  { specs: ['sync/session/killed'], env: { SPACEDRIVE_KILLS: '100' } },
  { specs: ['sync/session/random', 'sync/session/hints'], env: { SPACEDRIVE_RUNS: '300' } },
  { specs: ['sync/session/folding'], env: { SPACEDRIVE_RUNS: '30' } },
  { specs: ['sync/session/rings'], env: { SPACEDRIVE_RUNS: '100' } },
  { specs: ['sync/history/restore', 'sync/history/undo'], env: { SPACEDRIVE_RUNS: '100' } },
  { specs: ['sync/copy/killed'], env: { COPY_KILLS: '52' } },
  { specs: ['node/operations/file-killed'], env: { FILE_KILLS: '10' } },
  { specs: ['sync/copy/power-cut'], env: { COPY_CUTS: 'all' } },
  { specs: ['sync/copy/model', 'sync/copy/dry-run'], env: { COPY_RUNS: '500' } }
]
let failed = false
for (const { specs, env } of parts) {
  const { status } = spawnSync(
    process.execPath,
    [
      ...['--enable-source-maps', join(root, 'node_modules/mocha/bin/mocha.js'), '--timeout', '0'],
      ...specs.map(name => `--spec=dist/test/${name}.spec.js`)
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }
  )
  failed ||= status !== 0
}
process.exit(failed ? 1 : 0)
