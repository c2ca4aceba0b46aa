// A process that gives up root and then throws away what lies in FOLDER, which its parent prepared. Prints one JSON line.
// All code is loaded before: the checkout may lie where nobody else may read.
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { type AbsPath, workerPool } from '../../../storage/base/index.js'
import { nodeDisk, openFiles, ownerTag } from '../../../storage/files/index.js'

const NOBODY = 65534
const [folder = ''] = process.argv.slice(2)
const { trash, remove } = openFiles({ pool: workerPool(1), owner: ownerTag('test'), disk: nodeDisk() })
process.setgroups!([])
process.setgid!(NOBODY)
process.setuid!(NOBODY)

const at = (path: string): AbsPath => join(folder, path) as AbsPath
const home = join(folder, 'elsewhere-home') as AbsPath
const expected = (path: string) => {
  const s = lstatSync(at(path), { bigint: true })
  const kind = s.isDirectory() ? ('directory' as const) : ('file' as const)
  return { kind, sizeBytes: Number(s.size), mtimeNs: s.mtimeNs, inode: s.ino }
}
const binOf = async (path: string): Promise<string> => {
  const [bin] = await trash.findBins([at(path)], home)
  return typeof bin === 'string' ? bin.slice(folder.length) : bin!.code
}
const header = { id: '018f0000-0000-7000-8000-000000000001', atMs: 1, command: 'test', job: null }
const [bin] = await trash.findBins([at('theirs/mine')], home)
const thrown = await trash.put(
  bin as AbsPath,
  header,
  ['theirs/mine/a', 'theirs/mine/theirs-dir', 'theirs/mine/readonly/x'].map(path => ({
    at: at(path),
    expected: expected(path)
  }))
)
const removed = await remove([
  { at: at('theirs/mine/mixed'), expected: expected('theirs/mine/mixed') },
  { at: at('theirs/locked'), expected: expected('theirs/locked') }
])
process.stdout.write(
  `${JSON.stringify({
    mine: await binOf('theirs/mine/deep'),
    theirs: await binOf('theirs'),
    taken: await binOf('taken/mine'),
    thrown: thrown.map(r => (r.done ? 'done' : r.problem.code)),
    removed: removed.results.map(r => [r.files, r.problems.map(p => [p.path.slice(folder.length), p.code])])
  })}\n`
)
process.exit(0)
