// Runs mocha over dist/test and ends with the line `N passed, N failed`. Arguments go to mocha: `npm test -- -g pairing`,
// `npm test -- dist/test/storage/sql/database.spec.js`.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const args = process.argv.slice(2)
if (!args.some(a => a.endsWith('.spec.js'))) args.push('dist/test/**/*.spec.js')
const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', join(root, 'node_modules/mocha/bin/mocha.js'), ...args],
  { cwd: root, stdio: 'inherit' }
)
process.exit(status ?? 1)
