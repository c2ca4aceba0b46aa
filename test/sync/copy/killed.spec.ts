import assert from 'node:assert/strict'
import { existsSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { processEnded, testInstance } from '../../cli.js'
import { tempDir } from '../../temp.js'
import { readTree, type Tree } from './trees.js'

/** One of each kind here; 50 and more by COPY_KILLS, in a nightly run. */
const KILLS = Number(process.env.COPY_KILLS ?? 4)
const FOLDERS = 12
const FILES = 30
const LARGE_BYTES = 3_000_000
/** What a daemon writes beside the content: its databases, its log, the list of the job. */
const BESIDE_BYTES = 6_000_000

const KINDS = ['copy', 'replace', 'move', 'verify'] as const
/** About as long as a copy of it takes. */
const KILL_WITHIN_MS = 500

describe('copy: the daemon is killed in the middle', () => {
  const alice = testInstance('alice')
  const temp = tempDir()
  const at = (...names: string[]): string => join(temp.path, ...names)
  const source = at('from')
  before(() => {
    for (let d = 0; d < FOLDERS; d++) {
      mkdirSync(join(source, `folder ${d}`), { recursive: true })
      for (let f = 0; f < FILES; f++)
        writeFileSync(join(source, `folder ${d}`, `file ${f}`), `${d}/${f} `.repeat(f * 40))
      writeFileSync(join(source, `folder ${d}`, 'large'), Buffer.alloc(LARGE_BYTES, d + 1))
      linkSync(join(source, `folder ${d}`, 'large'), join(source, `folder ${d}`, 'large too'))
    }
  })
  after(async () => {
    await alice.clean()
    temp.clean()
  })

  for (let n = 0; n < KILLS; n++) {
    const kind = KINDS[n % KINDS.length]!
    it(`${kind}, kill ${n + 1}: what has its name is not copied again, and the end is the same`, async () => {
      await alice.ok('start')
      const target = at(`to ${n}`)
      mkdirSync(join(target, 'from'), { recursive: true })
      const from = kind === 'move' ? at(`moved ${n}`, 'from') : source
      if (kind === 'move') await alice.ok('file', 'copy', source, `${at(`moved ${n}`)}/`)
      if (kind === 'replace') for (let d = 0; d < FOLDERS; d++) stale(join(target, 'from', `folder ${d}`))
      const wanted = readTree(source)
      const pid = await pidOf()
      const { job } = (await alice.client.call(kind === 'move' ? 'file.move' : 'file.copy', {
        ...{ sources: [from], destination: target, overwrite: 'replace', wait: false, verify: kind === 'verify' }
      })) as { job: string }
      // The moment itself is what is random here.
      await new Promise(resolve => setTimeout(resolve, Math.random() * KILL_WITHIN_MS))
      process.kill(pid, 'SIGKILL')
      await alice.kill()
      await processEnded(pid)
      const done = inodes(join(target, 'from'), wanted)

      await alice.ok('start')
      const state = await ended(job)
      const wrote = writtenBy(await pidOf())
      assert.match(state, /^completed$/)
      const end = readTree(join(target, 'from'))
      if (kind === 'move') assert.ok(ownTime(end, wanted) <= 1, 'times of folders')
      assert.deepEqual(end, wanted)
      for (const [path, inode] of done)
        assert.equal(lstatSync(join(target, 'from', path)).ino, inode, `${path} was copied again`)
      const leftBytes = kind === 'move' ? 0 : bytesOf(wanted, path => !done.has(path) && !path.endsWith(' too'))
      if (wrote !== undefined)
        assert.ok(wrote < leftBytes + BESIDE_BYTES, `${wrote} bytes were written, ${leftBytes} were left to copy`)
      for (let d = 0; d < FOLDERS; d++) {
        const [large, too] = ['large', 'large too'].map(
          name => lstatSync(join(target, 'from', `folder ${d}`, name)).ino
        )
        assert.equal(large, too, 'names of one file')
      }
      assert.deepEqual(readdirSync(target), ['from'])
      if (kind === 'move') assert.equal(existsSync(from), false)
      if (kind === 'replace') {
        const { totals } = (await alice.client.call('file.trash.list', { job })) as { totals: { items: number } }
        assert.equal(totals.items, FOLDERS)
      }
    })
  }

  const pidOf = async (): Promise<number> => (await alice.ask<{ pid: number }>('system.status')).pid

  async function ended(job: string): Promise<string> {
    const listening = await alice.listen('job:completed', 'job:failed', 'job:paused')
    const now = (await alice.client.call('job.info', { job })) as { state: string; error: unknown }
    if (!['queued', 'running'].includes(now.state)) return now.state
    await listening.next(e => e.job === job)
    return ((await alice.client.call('job.info', { job })) as { state: string }).state
  }
})

/**
 * A folder that something was just being taken out of has the time of that moment: the one that a kill may leave so.
 * @returns how many there are; they get the time that they were to have
 */
function ownTime(found: Tree, wanted: Tree): number {
  const other = Object.keys(found).filter(p => found[p]!.kind === 'folder' && found[p]!.timeS !== wanted[p]?.timeS)
  for (const path of other) Object.assign(found[path]!, { timeS: wanted[path]?.timeS })
  return other.length
}

/** An older file in the way. */
function stale(folder: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'file 7'), 'what was there before')
}

/** Files that are there already with their whole content. */
function inodes(dir: string, wanted: Tree): Map<string, number> {
  const found = new Map<string, number>()
  const now = readTree(dir)
  for (const [path, node] of Object.entries(now)) {
    const want = wanted[path]
    if (node.kind !== 'file' || want?.kind !== 'file' || node.content !== want.content) continue
    found.set(path, lstatSync(join(dir, path)).ino)
  }
  return found
}

/** What a process handed to the system to be written, where the system tells. */
function writtenBy(pid: number): number | undefined {
  try {
    return Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
  } catch {
    return undefined
  }
}

function bytesOf(tree: Tree, counts: (path: string) => boolean): number {
  return Object.entries(tree).reduce(
    (sum, [path, node]) => sum + (node.kind === 'file' && counts(path) ? node.content.length : 0),
    0
  )
}
