// A process that places, and that is killed by the kernel in the middle: at its n-th change of the disk it kills itself with
// SIGKILL. Started by killed.spec.ts as `node placing-role.js FOLDER STAGING_ID n native|plain`.
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { type FileName, type RelPath, ROOT, workerPool } from '../../../storage/base/index.js'
import { type Expected, nodeDisk, openFiles, ownerTag, type PlaceStep } from '../../../storage/files/index.js'
import { spied } from './kit.js'
import { pack } from './pack.js'
import { CHANGES, contentOf } from './placing-plan.js'

const [folder = '', id = '', at = '', how = ''] = process.argv.slice(2)
let n = 0
/** From the opened root on: how often the file system's clock is looked at before differs from run to run. */
let counting = false
const disk = spied(how === 'native' ? nodeDisk() : nodeDisk({ native: undefined }), call => {
  if (counting && CHANGES.has(call) && n++ === Number(at)) process.kill(process.pid, 'SIGKILL')
})
const rel = (path: string): RelPath => path as RelPath
const from = (path: string) => ({ staging: id, path: rel(path) })

function seen(path: string): Expected {
  const s = lstatSync(join(folder, path), { bigint: true })
  return { kind: s.isDirectory() ? 'directory' : 'file', sizeBytes: Number(s.size), mtimeNs: s.mtimeNs, inode: s.ino }
}

const files = openFiles({ pool: workerPool(2), owner: ownerTag('test'), disk })
const root = await files.openRoot(folder as never)
counting = true
const staging = await root.openStaging(id)
const { entries, data } = pack(
  Object.fromEntries(['replaced', 'created', 'inner', 'drop/x', 'dropped'].map(name => [name, contentOf(name, 'new')]))
)
await staging.write(entries, data)
const steps: PlaceStep[] = [
  {
    kind: 'replace',
    path: rel('replaced'),
    from: from('replaced'),
    expected: seen('replaced'),
    aside: from('old/replaced')
  },
  { kind: 'create', path: rel('created'), from: from('created') },
  { kind: 'remove', path: rel('removed'), expected: seen('removed'), aside: from('old/removed') },
  { kind: 'make-directory', path: rel('made'), mtimeNs: 5n },
  { kind: 'create', path: rel('made/inner'), from: from('inner') },
  { kind: 'move', path: rel('moved'), to: rel('made/moved'), expected: seen('moved') }
]
await root.place(steps)
await root.placeGroup([
  { kind: 'move', path: rel('left'), to: rel('right'), expected: seen('left') },
  { kind: 'move', path: rel('right'), to: rel('left'), expected: seen('right') }
])
const name = (text: string): FileName => text as FileName
await staging.moveInto(ROOT, [{ from: name('drop') }, { from: name('dropped') }])
process.stdout.write(`finished after ${n}\n`)
process.exit(0)
