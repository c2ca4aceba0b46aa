// Runs mocha over dist/test and ends with the line `N passed, N failed`. Arguments go to mocha: `npm test -- -g pairing`,
// `npm test -- dist/test/storage/sql/database.spec.js`. The whole suite waits a lot (processes, watchers, deadlines): its files
// run side by side, each in a process that is not shared at that time, the longest first, so that none is left over at the
// end; named files run one after another.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A third of the suite is waiting for something else than a processor: with one job more than processors none is idle. */
const MORE_JOBS = 1
const MAX_JOBS = 8

/** The files that take longest alone, the longest first. One that is not here merely comes later. */
const LONGEST = [
  ...['sync/session/killed', 'node/operations/sync-three', 'node/operations/remote-copy-away'],
  ...['multi/resume', 'sync/session/hints', 'node/operations/locations', 'sync/session/disks'],
  ...['node/operations/sync-history-jobs', 'sync/history/interrupted', 'node/operations/network'],
  ...['node/operations/sync-device', 'sync/session/file-systems', 'node/operations/spacedrop'],
  ...['protocols/replica/sync-session', 'sync/session/folding', 'node/operations/file-killed'],
  ...['sync/copy/killed', 'multi/transfer-kill', 'node/operations/spacedrop-crash'],
  ...['node/operations/sync', 'node/operations/remote-copy', 'node/operations/pair'],
  ...['sync/session/background', 'node/operations/sync-daemon', 'node/operations/sync-device-background'],
  ...['storage/locations/locations', 'protocols/spacedrop/hostile', 'sync/session/guard'],
  ...['sync/history/undo', 'node/operations/sync-far-history', 'multi/networks', 'sync/session/git'],
  ...['node/cli/instances', 'sync/history/restore', 'protocols/agreements/cut-links'],
  ...['node/cli/terminal', 'node/cli/usage', 'protocols/agreements/far-restore'],
  ...['protocols/replica/follow', 'protocols/agreements/far-undo', 'protocols/agreements/full-data-dir'],
  ...['protocols/transfer/cuts']
]

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const args = process.argv.slice(2)
if (!args.some(a => a.endsWith('.spec.js'))) {
  const jobs = Math.min(Math.max(availableParallelism(), 2) + MORE_JOBS, MAX_JOBS)
  args.push('--parallel', '--jobs', String(jobs), ...specs())
}
const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', join(root, 'node_modules/mocha/bin/mocha.js'), ...args],
  { cwd: root, stdio: 'inherit' }
)
process.exit(status ?? 1)

/** Every spec below dist/test, in the order in which they begin. */
function specs() {
  const found = readdirSync(join(root, 'dist/test'), { recursive: true })
    .map(path => String(path).replaceAll('\\', '/'))
    .filter(path => path.endsWith('.spec.js'))
    .sort()
  const rank = path => (LONGEST.indexOf(path.replace('.spec.js', '')) + LONGEST.length + 1) % (LONGEST.length + 1)
  return found.sort((a, b) => rank(a) - rank(b)).map(path => `dist/test/${path}`)
}
