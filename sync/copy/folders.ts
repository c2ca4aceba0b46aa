import { parentOf, type RelPath } from '../../storage/base/index.js'
import type { Copier } from '../../storage/files/index.js'
import { type DecideRules, folderDiffers, type Seen } from './decide.js'
import { renamed } from './renamed.js'
import { kindDiffers } from './take-problems.js'
import type { TakeInput } from './taking.js'

/** The folders of one page, as they come to be at the destination. All paths are those of the sources. */
export class Folders {
  /** Made (or would be), under their names at the destination. */
  readonly made: RelPath[] = []
  /** See `TakeOutput.touched`. */
  readonly touched = new Set<RelPath>()
  readonly #copier: Copier
  readonly #input: Pick<TakeInput, 'renames' | 'dryRun'>
  readonly #rules: DecideRules
  readonly #ready = new Set<RelPath>()
  readonly #new = new Set<RelPath>()

  constructor(copier: Copier, input: Pick<TakeInput, 'renames' | 'dryRun'>, rules: DecideRules) {
    this.#copier = copier
    this.#input = input
    this.#rules = rules
  }

  /** It was made here: nothing can stand in it. RACE: what comes since is seen when names are given. */
  isNew(dir: RelPath): boolean {
    return this.#new.has(dir)
  }

  /**
   * Makes one and those around it, where they are missing.
   * @param found - what a look at the source told
   * @throws {SpacedriveError} KIND_DIFFERS
   */
  ensure(dir: RelPath, found?: Seen): true {
    if (dir === '' || (found === undefined && this.#ready.has(dir))) return true
    const to = renamed(this.#input.renames, dir)
    const there = this.#copier.lookTarget(to)
    if (there === undefined) this.#make(dir, to, found)
    else if (there.kind !== 'directory') throw kindDiffers(to)
    else if (found !== undefined && folderDiffers(found, there, this.#rules)) this.touched.add(dir)
    this.#ready.add(dir)
    return true
  }

  #make(dir: RelPath, to: RelPath, found: Seen | undefined): void {
    this.ensure(parentOf(dir))
    this.touched.add(dir)
    if (this.#input.dryRun) this.made.push(to)
    else if (this.#copier.makeTarget(to, (found ?? this.#copier.lookSource(dir))?.mode ?? 0o700) === 'made') {
      this.made.push(to)
      this.#new.add(dir)
      this.touched.add(parentOf(dir))
    }
  }
}
