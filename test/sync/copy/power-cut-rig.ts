import assert from 'node:assert/strict'
import { type AbsPath, type JobId, type Problem, systemClock } from '../../../storage/base/index.js'
import { type Files, isTempName, openFiles, ownerTag } from '../../../storage/files/index.js'
import type { PhaseContext } from '../../../storage/jobs/index.js'
import { copying } from '../../../sync/copy/copying.js'
import { finishPhase } from '../../../sync/copy/finishing.js'
import type { CopyInput } from '../../../sync/copy/index.js'
import type { CopyComponents } from '../../../sync/copy/ports.js'
import { type CopyState, newState } from '../../../sync/copy/state.js'
import { Touched } from '../../../sync/copy/touched.js'
import { inPlace } from '../../in-place.js'
import { SimulatedDisk, type SimulatedDiskInit } from '../../storage/files/simulated-disk.js'
import type { Inode } from '../../storage/files/simulated-image.js'
import { file, folder, link, type Tree } from './trees.js'

const JOB = '0d9a4a52-3f7e-4f30-9a36-5f6a7f5b8c11' as JobId
const HOME = '/home' as AbsPath
/** Several pages each, so that content can be torn. */
const spread = (content: string): string => `${content}|`.repeat(2_500)
const gathered = (bytes: string): string => (bytes === '' ? '' : bytes.slice(0, bytes.indexOf('|')))

/** A disk with `/from` and `/to/from`; a second mount begins at `/from` where a rename is not to reach across. */
export class CopyDisk extends SimulatedDisk {
  #elsewhere: number | undefined

  constructor(init: SimulatedDiskInit & { readonly apart?: boolean }) {
    super(init)
    const top = this.openRoot('/')
    for (const name of ['home', 'source', 'to']) this.makeDir(top, name, 0o755)
    if (init.apart === true) this.#elsewhere = Number(this.lstat(top, 'source').inode)
  }

  protected override statOf(inode: Inode) {
    const stat = super.statOf(inode)
    return inode.number === this.#elsewhere ? { ...stat, mount: 2n } : stat
  }

  /** @param also - further names of files of the tree: name -> file */
  fill(at: string, tree: Tree, also: ReadonlyMap<string, string> = new Map()): void {
    const [above, name] = split(at)
    this.makeDir(this.openRoot(above), name, 0o755)
    for (const path of Object.keys(tree).sort()) {
      const node = tree[path]!
      const [dir, last] = split(`${at}/${path}`)
      const parent = this.openRoot(dir)
      const first = also.get(path)
      if (first !== undefined) {
        const [firstDir, firstName] = split(`${at}/${first}`)
        this.link(this.openRoot(firstDir), firstName, parent, last)
      } else if (node.kind === 'folder') this.makeDir(parent, last, node.mode)
      else if (node.kind === 'link') this.symlink(node.target, parent, last)
      else {
        const fd = this.open(parent, last, 'create', node.mode)
        if (node.content !== '') this.write(fd, Buffer.from(spread(node.content)), 0)
        this.setMtime(fd, BigInt(node.timeS) * 1_000_000_000n)
        this.sync(fd)
      }
    }
    for (const path of Object.keys(tree)) {
      const node = tree[path]!
      const [dir, last] = split(`${at}/${path}`)
      const time = BigInt(node.timeS) * 1_000_000_000n
      if (node.kind !== 'link') continue
      this.setLinkMtime(this.openRoot(dir), last, time)
      this.keep(this.find(this.openRoot(dir), last))
    }
    this.syncAllOf(at)
  }

  /** What is there, nothing when the folder itself is gone; content that is not whole makes it fail. */
  tree(at: string): Tree {
    const tree: Tree = {}
    const [above, last] = split(at)
    if (!this.list(this.openRoot(above)).includes(last)) return tree
    const visit = (path: string, prefix: string): void => {
      const dir = this.openRoot(path)
      for (const name of this.list(dir)) {
        if (prefix === '' && isTempName(name)) continue
        const stat = this.lstat(dir, name)
        const [rel, mode, timeS] = [`${prefix}${name}`, stat.mode & 0o777, Number(stat.mtimeNs / 1_000_000_000n)]
        if (stat.kind === 'directory') {
          tree[rel] = folder(mode, 0)
          visit(`${path}/${name}`, `${rel}/`)
        } else if (stat.kind === 'symlink') tree[rel] = link(this.readlink(dir, name), timeS)
        else tree[rel] = file(this.content(dir, name), mode, timeS)
      }
    }
    visit(at, '')
    return tree
  }

  content(dir: ReturnType<SimulatedDisk['openRoot']>, name: string): string {
    const fd = this.open(dir, name, 'read')
    const into = Buffer.alloc(this.stat(fd).sizeBytes)
    this.read(fd, into, 0)
    this.close(fd)
    const content = gathered(into.toString())
    assert.equal(into.toString(), content === '' ? '' : spread(content), `${dir.path}/${name} is not whole`)
    return content
  }

  /** What lies in the staging places, whole or not: what is replaced is there for a moment, until it is in the trash. */
  staged(): string[] {
    const found: string[] = []
    const visit = (path: string): void => {
      const dir = this.openRoot(path)
      for (const name of this.list(dir)) {
        const { kind, sizeBytes } = this.lstat(dir, name)
        if (kind === 'directory') visit(`${path}/${name}`)
        else if (kind === 'symlink') found.push(`-> ${this.readlink(dir, name)}`)
        else {
          const fd = this.open(dir, name, 'read')
          const into = Buffer.alloc(sizeBytes)
          this.read(fd, into, 0)
          this.close(fd)
          const content = gathered(into.toString())
          if (into.toString() === (content === '' ? '' : spread(content))) found.push(content)
        }
      }
    }
    for (const name of this.ours()) visit(`/to/${name}`)
    return found
  }

  /** Names of ours in the destination. What was tried out there right before a cut goes when the next process looks. */
  ours(): string[] {
    return this.list(this.openRoot('/to')).filter(name => isTempName(name) && !name.includes('-0000-8000-8000-'))
  }

  private syncAllOf(at: string): void {
    const visit = (path: string): void => {
      const dir = this.openRoot(path)
      this.sync(dir)
      for (const name of this.list(dir)) if (this.lstat(dir, name).kind === 'directory') visit(`${path}/${name}`)
    }
    visit(at)
    for (let path = at; path !== '/'; path = split(path)[0]) this.sync(this.openRoot(split(path)[0]))
  }
}

const split = (path: string): [string, string] => [
  path.slice(0, path.lastIndexOf('/')) || '/',
  path.slice(path.lastIndexOf('/') + 1)
]

export interface Cutting {
  readonly problems: Problem[]
  /** As the last checkpoint left it. */
  state: CopyState
}

export const begin = (): Cutting => ({
  problems: [],
  state: {
    ...newState(),
    layout: {
      root: '/to' as AbsPath,
      makeRoot: false,
      trees: [{ folder: '/source' as AbsPath, names: ['from'], renames: {} }]
    }
  }
})

/** The phases of the job themselves, on this disk, from the last checkpoint on. @throws what ends the job */
export async function runCopy(disk: SimulatedDisk, input: CopyInput, cutting: Cutting): Promise<void> {
  const files = openFiles({ pool: inPlace, owner: ownerTag('test'), disk })
  const ctx = context(structuredClone(cutting.state), cutting)
  try {
    const components = partsOf(files)
    const touched = new Touched()
    for (const phase of [copying(components, input, touched), finishPhase(components, input, touched)])
      await phase.execute(ctx)
  } finally {
    await files.close().catch(() => {}) // its descriptors went with the power
  }
}

/** What the trash holds: places -> contents. */
export async function inTrash(disk: CopyDisk): Promise<Map<string, string[]>> {
  const files = openFiles({ pool: inPlace, owner: ownerTag('test'), disk })
  const [bin] = await files.trash.findBins(['/to' as AbsPath], HOME)
  const found = new Map<string, string[]>()
  const batches = await files.trash.read(bin as AbsPath, []).catch(err => {
    assert.equal(err.code, 'NO_BIN')
    return []
  })
  for (const batch of batches) {
    assert.equal(batch.problem, undefined)
    for (const { n, origin, kind } of batch.items) {
      const dir = disk.openRoot(`${bin}/${batch.id}`)
      const held = kind === 'file' ? disk.content(dir, String(n)) : `-> ${disk.readlink(dir, String(n))}`
      found.set(origin, [...(found.get(origin) ?? []), held])
    }
  }
  await files.close()
  return found
}

function context(state: CopyState, cutting: Cutting): PhaseContext<CopyState> {
  return {
    ...{ job: JOB, clock: systemClock, signal: new AbortController().signal, state },
    progress() {},
    problem: (p: Problem) => void cutting.problems.push(p),
    checkInterrupt() {},
    log() {},
    async checkpoint() {
      cutting.state = structuredClone(state)
    }
  } as unknown as PhaseContext<CopyState>
}

function partsOf(files: Files): CopyComponents {
  return {
    ...{ files, pool: inPlace, clock: systemClock, index: { placesOf: async () => [] }, ours: () => [] },
    db: { write: async () => {} },
    volumes: { volumeOf: async () => undefined },
    trash: {
      async put(items: Parameters<CopyComponents['trash']['put']>[0]) {
        const [bin] = await files.trash.findBins(['/to' as AbsPath], HOME)
        const header = { id: crypto.randomUUID(), atMs: 1, command: 'file.copy', job: JOB }
        const results = await files.trash.put(bin as AbsPath, header, items)
        return results.map(r => (r.done ? { done: true, id: 1, files: 1, bytes: 1 } : r))
      }
    }
  } as unknown as CopyComponents
}
