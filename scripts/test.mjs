// Runs mocha over dist/test and ends with the line `N passed, N failed`. Arguments go to mocha: `npm test -- -g pairing`,
// `npm test -- dist/test/storage/sql/database.spec.js`. The whole suite waits a lot (processes, watchers, deadlines): its files
// run side by side, each in a process that is not shared at that time; named files run one after another.
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAX_JOBS = 8

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const args = process.argv.slice(2)
if (!args.some(a => a.endsWith('.spec.js'))) {
  const jobs = Math.min(Math.max(availableParallelism(), 2), MAX_JOBS)
  args.push('--parallel', '--jobs', String(jobs), 'dist/test/**/*.spec.js')
}
const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', join(root, 'node_modules/mocha/bin/mocha.js'), ...args],
  { cwd: root, stdio: 'inherit' }
)
process.exit(status ?? 1)
