/**
 * `npm run soak [-- --minutes 60 --seed N --devices 2 --tree FOLDER --dir FOLDER --calm]`: real daemons on loopback keep a copy of
 * /usr/share, a node_modules tree and a git repository in step both ways, while all sides are edited at random, daemons are
 * killed, restarted and put to sleep, and connections are cut. Now and then, and at the end, all is let come to rest: then every end must be
 * the same, each content that was written must be at the ends or in versions (but for what the script itself took away), the repository
 * whole, and memory and open files where they began. The seed gives the edits; when a sync meets them is never the same twice.
 *
 * With `--calm` no process ends (connections are cut still): what one holds after an hour is that of an hour.
 * With three devices they stand in a line: the one in the middle keeps one folder in step with both.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import '../../node/shim.js'
import { Soak } from './soak.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string' },
    devices: { type: 'string', default: '2' },
    tree: { type: 'string', default: '/usr/share' },
    dir: { type: 'string', default: tmpdir() },
    calm: { type: 'boolean', default: false }
  }
})
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const dir = mkdtempSync(join(resolve(values.dir), 'sd-soak-'))
const began = performance.now()
const note = (text: string): void => {
  const seconds = Math.round((performance.now() - began) / 1000)
  process.stderr.write(`soak ${String(seconds).padStart(5)} s: ${text}\n`)
}

const soak = new Soak({ dir, seed, tree: values.tree, devices: Number(values.devices), calm: values.calm, note })
note(`seed ${seed}, in ${dir}`)
let failed = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void soak.end().finally(() => process.exit(130)))
}
try {
  process.stdout.write(`${JSON.stringify({ seed, ...(await soak.run(Number(values.minutes) * 60_000)) })}\n`)
} catch (err) {
  failed = true
  note(err instanceof Error ? (err.stack ?? err.message) : String(err))
  note(`what is there is left in ${dir}`)
}
await soak.end()
if (!failed) rmSync(dir, { recursive: true, force: true })
process.exit(failed ? 1 : 0)
