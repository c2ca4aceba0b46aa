// Runs mocha over dist/test and ends with the line `N passed, N failed`. Arguments go to mocha: `npm test -- -g pairing`.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', join(root, 'node_modules/mocha/bin/mocha.js'), ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' }
)
process.exit(status ?? 1)
