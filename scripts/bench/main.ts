/**
 * `npm run bench [-- NAME... --quick --dir FOLDER]`: each scenario prints one JSON line with its figures and, from the same
 * run, the same work by `cp -a` + `sync -f` or the plain library call, as a ratio. Seconds alone mean nothing on a shared
 * machine. Without names all run but the long ones; `--list` names them. With `--trees FOLDER` the trees are made there once and kept.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import '../../node/shim.js'
import { analysisBenches } from './analysis.js'
import type { Bench, TreeKind } from './bench.js'
import { copyBenches } from './copies.js'
import { connecting, dropBig, dropSmall, dropTree, pairing } from './drops.js'
import { atEnd, endAll, endOnSignal, isEnding } from './ending.js'
import { indexBenches } from './index-benches.js'
import { reconciling } from './reconcile.js'
import { remoteBackgroundBenches } from './remote-background.js'
import { remoteMillionBenches } from './remote-million.js'
import { remoteBenches } from './remotes.js'
import { slowLinkBenches } from './slow-links.js'
import { starting } from './start.js'
import { syncOne } from './sync-one.js'
import { syncBenches } from './syncs.js'
import { transferBenches } from './transfer.js'
import { makeTree } from './trees.js'
import { watching, watchingWide } from './watch.js'

const benches: readonly Bench[] = [
  starting,
  pairing,
  connecting,
  dropBig,
  dropSmall,
  dropTree,
  ...transferBenches,
  ...remoteBenches,
  ...remoteBackgroundBenches,
  ...remoteMillionBenches,
  ...slowLinkBenches,
  ...indexBenches,
  reconciling,
  ...analysisBenches,
  ...copyBenches,
  ...syncBenches,
  syncOne,
  // Last: what they change in the trees stays there.
  watching,
  watchingWide
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean' },
    list: { type: 'boolean' },
    dir: { type: 'string' },
    trees: { type: 'string' }
  }
})

if (values.list) {
  for (const bench of benches) process.stdout.write(`${bench.name.padEnd(20)} ${bench.what}\n`)
  process.exit(0)
}
const unknown = positionals.filter(name => !benches.some(b => b.name === name))
if (unknown.length > 0) {
  process.stderr.write(`bench: no scenario ${unknown.join(', ')}; there are: ${benches.map(b => b.name).join(', ')}\n`)
  process.exit(2)
}

let failed = false
const quick = values.quick ?? false
function freshDir(): string {
  const dir = mkdtempSync(join(resolve(values.dir ?? tmpdir()), 'sd-bench-'))
  atEnd(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}
let treesDir = values.trees === undefined ? undefined : resolve(values.trees)
const tree = (kind: TreeKind): Promise<string> => {
  treesDir ??= freshDir()
  return makeTree(treesDir, kind, quick)
}
endOnSignal()
for (const bench of benches.filter(b => (positionals.length === 0 ? b.long !== true : positionals.includes(b.name)))) {
  if (isEnding()) break
  const dir = freshDir()
  const note = (text: string): void => void process.stderr.write(`${bench.name}: ${text}\n`)
  note(bench.what)
  try {
    const figures = await bench.run({ dir, tree, quick, note })
    process.stdout.write(`${JSON.stringify({ scenario: bench.name, ...figures })}\n`)
  } catch (err) {
    // What it began was taken from under it.
    if (isEnding()) break
    failed = true
    process.stdout.write(`${JSON.stringify({ scenario: bench.name, error: String(err) })}\n`)
  }
}
if (isEnding()) await new Promise<never>(() => {}) // who ends it exits
await endAll()
process.exit(failed ? 1 : 0)
