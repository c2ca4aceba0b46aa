import {
  type AbsPath,
  displayPath,
  type FileName,
  type JobId,
  type Problem,
  type RelPath
} from '../../storage/base/index.js'
import type { CopierInit } from '../../storage/files/index.js'
import {
  type Expected,
  type FileRoot,
  MAX_BATCH_STEPS,
  type PlaceStep,
  type Staging
} from '../../storage/files/index.js'
import { finishing } from './finish.worker.js'
import type { CopyInput } from './input.js'
import type { CopyComponents } from './ports.js'
import { type KeepInit, keepReplaced, type Replacing } from './replacing.js'
import { taking } from './take.worker.js'
import type { StagedCopy, TakeOutput } from './taking.js'

export interface PlacerInit {
  readonly components: CopyComponents
  readonly job: JobId
  readonly input: CopyInput
  readonly root: FileRoot
  readonly staging: Staging
  readonly copier: CopierInit
  /** Which of the trees. */
  readonly tree: number
  /** Content is read back before it gets its name. */
  readonly verify: boolean
  readonly signal: AbortSignal
  problem(problem: Problem): void
  /** What is to be replaced now, written down before; nothing when it is done. */
  replacing(list: readonly Replacing[]): Promise<void>
}

export interface Placed {
  readonly copies: readonly StagedCopy[]
  readonly attributes: number
  readonly removed: number
}

/** Where the old lies that was replaced, until it is in the trash. */
export const ASIDE = 'old'

/** What takers staged gets its names: durable first, then checked where asked, named, the old to the trash, sources away. */
export class Placer {
  readonly #init: PlacerInit

  constructor(init: PlacerInit) {
    this.#init = init
  }

  /** @throws DISK_ERROR and what else concerns all of it; one path that fails is a problem */
  async place(outputs: readonly TakeOutput[]): Promise<Placed> {
    const { root, input, signal } = this.#init
    let copies = outputs.flatMap(o => o.staged)
    if (this.#init.verify) copies = await this.#verified(copies)
    const fresh = copies.filter(c => c.replaces === undefined)
    const placed = await this.#name(fresh)
    const replaced = await this.#replace(copies.filter(c => c.replaces !== undefined))
    const attributes = await this.#attributes(outputs.flatMap(o => o.attributes))
    const done = [...placed, ...replaced]
    if (input.operation !== 'move') return { copies: done, attributes, removed: 0 }
    const all = [
      ...done.map(({ source, path, from }) => ({ source, path, from: from! })),
      ...outputs.flatMap(o => o.sameSources)
    ]
    if (all.length === 0) return { copies: done, attributes, removed: 0 }
    // Also what was the same already, or what only got its attributes, may not be on the disk yet.
    const missing = new Set(await root.sync({ paths: all.map(s => s.path), signal }))
    const gone = all.filter(s => !missing.has(s.path))
    const problems = await this.#init.components.pool.run(
      finishing.remove,
      { ...this.#init.copier, list: gone },
      { signal }
    )
    for (const p of problems) this.#init.problem(p)
    return { copies: done, attributes, removed: gone.length - problems.length }
  }

  async #verified(copies: readonly StagedCopy[]): Promise<StagedCopy[]> {
    const files = copies.filter(c => c.strategy !== 'rename' && c.strategy !== 'link' && c.bytes > 0)
    if (files.length === 0) return [...copies]
    const { components, copier, signal, root } = this.#init
    await root.sync({ signal })
    const checked = files.map(c => ({ path: c.source, staged: c.staged, hash: c.hash }))
    const wrong = await components.pool.run(taking.check, { ...copier, files: checked }, { signal })
    for (const i of wrong) {
      const shown = displayPath(files[i]!.path)
      const message = `could not copy ${shown}: what was read back from the disk is not what was written`
      this.#init.problem({ path: shown, code: 'VERIFY_FAILED', message })
    }
    const bad = new Set(wrong.map(i => files[i]!))
    return copies.filter(c => !bad.has(c))
  }

  async #name(copies: readonly StagedCopy[]): Promise<StagedCopy[]> {
    if (copies.length === 0) return []
    const { staging, root, signal } = this.#init
    const names = copies.map(({ staged, path }) => ({ staged, path }))
    const problems = await staging.placeNew(names, { durable: !root.capabilities.syncWhole, signal })
    const failed = new Set<number>()
    const across: StagedCopy[] = []
    for (const { index, ...problem } of problems) {
      failed.add(index)
      // A boundary lies between staging and there: by way of a name beside the target.
      if (problem.code === 'OTHER_FILE_SYSTEM') across.push(copies[index]!)
      else this.#init.problem(problem)
    }
    const placed = copies.filter((_, i) => !failed.has(i))
    for (const steps of chunks(across)) {
      const results = await root.place(
        steps.map(c => ({ kind: 'create', path: c.path, from: { staging: staging.id, path: c.staged } })),
        { signal }
      )
      results.forEach((r, i) => {
        if (r.done) placed.push(steps[i]!)
        else this.#init.problem(r.problem)
      })
    }
    return placed
  }

  async #replace(copies: readonly StagedCopy[]): Promise<StagedCopy[]> {
    const { staging, root, signal } = this.#init
    const placed: StagedCopy[] = []
    for (const some of chunks(copies)) {
      const steps = some.map(
        (c): PlaceStep => ({
          ...{ kind: 'replace', path: c.path, from: { staging: staging.id, path: c.staged }, expected: c.replaces! },
          aside: { staging: staging.id, path: asideOf(c.path) }
        })
      )
      const list = some.map(({ source, path, staged }) => ({ tree: this.#init.tree, source, path, staged }))
      await this.#init.replacing(list)
      const results = await root.place(steps, { signal })
      const old: { path: RelPath; expected: Expected }[] = []
      const kept: Replacing[] = []
      results.forEach((r, i) => {
        if (r.done) {
          placed.push(some[i]!)
          old.push({ path: some[i]!.path, expected: r.aside ?? some[i]!.replaces! })
        } else {
          this.#init.problem(r.problem)
          if (r.keptAt !== undefined) kept.push(list[i]!)
        }
      })
      await throwAway(this.#init, old)
      if (await keepReplaced(this.#init, this.#init.copier.source, kept)) await this.#init.replacing([])
    }
    return placed
  }

  async #attributes(list: TakeOutput['attributes']): Promise<number> {
    let done = 0
    for (const some of chunks(list)) {
      const results = await this.#init.root.place(
        some.map(a => ({ kind: 'attributes', ...a })),
        { signal: this.#init.signal }
      )
      for (const r of results) {
        if (r.done) done++
        else this.#init.problem(r.problem)
      }
    }
    return done
  }
}

/**
 * What was replaced goes to the trash under its old name. What cannot stays in the staging place, and is told.
 * @param list - `at`: where it lies in the staging place, unless aside
 */
export async function throwAway(
  { components, input, staging, root, job, signal, problem }: KeepInit,
  list: readonly { path: RelPath; expected: Expected; at?: RelPath }[]
): Promise<boolean> {
  if (list.length === 0) return true
  if (!input.keep) {
    await staging.clear(ASIDE as FileName)
    return true
  }
  const items = list.map(({ path, expected, at = asideOf(path) }) => ({
    ...{ at: `${staging.contentPath}/${at}` as AbsPath, expected },
    origin: `${root.path === '/' ? '' : root.path}/${path}` as AbsPath
  }))
  const results = await components.trash.put(items, { command: `file.${input.operation}`, job, signal })
  let all = true
  for (const r of results) {
    if (r.done || r.id !== undefined) continue
    all = false
    problem(r.problem)
  }
  return all
}

export const asideOf = (path: RelPath): RelPath => `${ASIDE}/${path}` as RelPath

function chunks<T>(list: readonly T[]): T[][] {
  const out: T[][] = []
  for (let at = 0; at < list.length; at += MAX_BATCH_STEPS) out.push(list.slice(at, at + MAX_BATCH_STEPS))
  return out
}
