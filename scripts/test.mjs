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
  ...[
    'sync/session/killed',
    'node/operations/remote-copy-away',
    'node/operations/spacedrop',
    'sync/session/background'
  ],
  ...['protocols/replica/sync-session', 'node/operations/remote-copy', 'node/operations/sync-daemon', 'multi/resume'],
  ...['node/operations/spacedrop-crash', 'sync/session/disks', 'storage/locations/locations', 'sync/session/guard'],
  ...['protocols/spacedrop/hostile', 'sync/session/hints', 'sync/history/undo', 'node/operations/file-killed'],
  ...['node/operations/sync-device-background', 'node/operations/locations', 'node/operations/sync-three'],
  ...['sync/copy/killed', 'sync/session/folding', 'sync/history/interrupted', 'node/operations/network'],
  ...['sync/session/file-systems', 'multi/networks', 'sync/session/git', 'node/cli/instances', 'sync/history/restore'],
  ...['protocols/agreements/cut-links', 'node/cli/terminal', 'multi/transfer-kill', 'node/cli/usage']
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
