// `npm run nightly [-- RUNS [NAME...]]`: what takes too long for each change. The properties of sync with 10,000 random cases each, in each
// mode where modes differ, and as many scenarios of several devices; a failure prints its seed, the path to its smallest case, and
// that case: SPACEDRIVE_SEED and SPACEDRIVE_CASE look at it again, with RUNS at 1 or more. Then operations on files, killed
// and cut short over and over. One part that fails keeps no other from running; the end names each, with its time. NAME: only the parts of
// which a spec has that in its name (`npm run nightly -- 10000 killed undo`).
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [runs = '10000', ...names] = process.argv.slice(2)
if (!/^[1-9][0-9]*$/.test(runs)) {
  console.error(`nightly: expected a number of runs, got ${runs}`)
  process.exit(2)
}
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
  { specs: ['sync/session/many-runs'], env: { SPACEDRIVE_MANY_RUNS: '1000' } },
  { specs: ['multi/sync-kill'], env: { SYNC_KILLS: '40' } },
  { specs: ['sync/copy/killed'], env: { COPY_KILLS: '52' } },
  { specs: ['node/operations/file-killed'], env: { FILE_KILLS: '10' } },
  { specs: ['sync/copy/power-cut'], env: { COPY_CUTS: 'all' } },
  { specs: ['sync/copy/model', 'sync/copy/dry-run'], env: { COPY_RUNS: '500' } }
]
const wanted = parts.filter(({ specs }) => names.length === 0 || specs.some(s => names.some(name => s.includes(name))))
if (wanted.length === 0) {
  console.error(`nightly: no part has ${names.join(' or ')} in its name`)
  process.exit(2)
}
const told = []
let failed = false
for (const { specs, env } of wanted) {
  const began = Date.now()
  const { status, signal, error } = spawnSync(
    process.execPath,
    [
      ...['--enable-source-maps', join(root, 'node_modules/mocha/bin/mocha.js'), '--timeout', '0'],
      ...specs.map(name => `--spec=dist/test/${name}.spec.js`)
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }
  )
  if (signal === 'SIGINT') process.exit(130) // who stops it means all of it
  failed ||= status !== 0
  const how = status === 0 ? 'passed' : `FAILED (${error?.message ?? signal ?? `exit code ${status}`})`
  told.push(`${how}  ${Math.round((Date.now() - began) / 1000)} s  ${specs.join(' ')}`)
}
console.log(['', ...told, failed ? 'nightly: failed' : 'nightly: passed'].join('\n'))
process.exit(failed ? 1 : 0)
