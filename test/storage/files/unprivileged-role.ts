// A process that gives up root (so that permissions mean something) and then works in FOLDER, which its parent prepared.
// Prints one JSON line. All code is loaded before: the checkout may lie where nobody else may read.
import { randomUUID } from 'node:crypto'
import { errorCode, type FileName, type RelPath, ROOT, workerPool } from '../../../storage/base/index.js'
import {
  ensurePrivateDir,
  type FileRoot,
  nodeDisk,
  openFiles,
  ownerTag,
  type PlaceStep
} from '../../../storage/files/index.js'
import { pack } from './pack.js'

const NOBODY = 65534
const [folder = '', how = ''] = process.argv.slice(2)
const disk = how === 'native' ? nodeDisk() : nodeDisk({ native: undefined })
const files = openFiles({ pool: workerPool(1), owner: ownerTag('test'), disk })
process.setgroups!([])
process.setgid!(NOBODY)
process.setuid!(NOBODY)

const rel = (path: string): RelPath => path as RelPath
const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    err => errorCode(err)
  )
const open = (path: string): Promise<FileRoot> => files.openRoot(`${folder}/${path}` as never)

const root = await open('mine')
const id = randomUUID()
const staging = await root.openStaging(id)
const { entries, data } = pack({ a: '1', b: '2', 'tree/closed/x': '3' })
await staging.write(
  entries.map(entry => ({ ...entry, mode: 0o000 })),
  data
)
const attributes = await staging.setDirectoryAttributes([
  { path: rel('tree/closed'), mode: 0o000 },
  { path: rel('tree'), mode: 0o555 }
])
const create = (path: string, from: string): PlaceStep => ({
  kind: 'create',
  path: rel(path),
  from: { staging: id, path: rel(from) }
})
const placed = await root.place([create('theirs/a', 'a'), create('b', 'b')])
const moved = await staging.moveInto(ROOT, [{ from: 'tree' as FileName }])
await staging.discard()
process.stdout.write(
  `${JSON.stringify({
    stageInTheirs: await codeOf(open('theirs').then(theirs => theirs.openStaging(id))),
    openSticky: await codeOf(open('sticky')),
    privateDir: await codeOf(ensurePrivateDir(`${folder}/theirs`)),
    attributes,
    placed: placed.map(r => (r.done ? 'done' : r.problem.code)),
    moved: moved.map(m => [m.name, m.stat.mode]),
    foreignStaging: await codeOf(openForeign())
  })}\n`
)
process.exit(0)

/** A staging place that somebody else prepared under our name. */
async function openForeign(): Promise<unknown> {
  const sticky = await open('sticky')
  return sticky.openStaging('00000000-0000-4000-8000-000000000000')
}
