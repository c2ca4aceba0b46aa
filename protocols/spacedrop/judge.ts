import { displayPath, nameOf, type Problem, parentOf, type RelPath, SpacedriveError } from '../../storage/base/index.js'
import type { ContentKind } from '../../storage/entries/index.js'
import { typeOfName } from '../../storage/file-types/index.js'
import type { EntryKind, ManifestEntry, ManifestTotals } from '../transfer/index.js'
import type { Globs } from './glob.js'
import { MAX_LISTED_PROBLEMS, MAX_SHOWN_NAMES } from './limits.js'
import { staysInside } from './links.js'
import { type FolderFacts, foldName, foldsAnything, judgeName } from './names.js'

export interface JudgeOptions {
  readonly folder: FolderFacts
  /** Only what fits; unset: everything. */
  readonly only?: Globs | undefined
  /** Take links that are absolute or leave the folder too. */
  readonly links: boolean
}

/** What was found in the list of names of an offer, before anything of it is taken. */
export interface Judgement {
  readonly wanted: ManifestTotals
  /** Everything is wanted. */
  readonly all: boolean
  /** Refused names and links left out, path by path. */
  readonly problems: readonly Problem[]
  readonly problemCount: number
  readonly linksLeftOut: number
  /** Wanted files whose name begins with a dot at the top, or that are marked as programs: worth a second look. */
  readonly hidden: number
  readonly programs: number
  readonly kinds: ReadonlySet<ContentKind>
  readonly shown: readonly { readonly path: RelPath; readonly kind: EntryKind; readonly sizeBytes: number }[]
}

interface OpenFolder {
  readonly path: string
  /** Folded names in it, where the file system folds. */
  readonly taken: Set<string> | undefined
}

/** Judges the entries of a manifest one after the other, in its order; memory for one path (and its folders' names). */
export class Judge {
  readonly #options: JudgeOptions
  readonly #folds: boolean
  readonly #open: OpenFolder[]
  readonly #problems: Problem[] = []
  readonly #kinds = new Set<ContentKind>()
  readonly #shown: Judgement['shown'][number][] = []
  readonly #wanted = { entries: 0, files: 0, directories: 0, symlinks: 0, bytes: 0 }
  #problemCount = 0
  #linksLeftOut = 0
  #hidden = 0
  #programs = 0
  #seen = 0
  /** Below a folder that was refused: everything there goes with it. */
  #refused: string | undefined

  constructor(options: JudgeOptions) {
    this.#options = options
    this.#folds = foldsAnything(options.folder)
    this.#open = [{ path: '', taken: this.#folds ? new Set() : undefined }]
  }

  /** @returns whether it is wanted; for `ManifestStore.select` */
  keep(entry: ManifestEntry): boolean {
    this.#seen++
    const { path, kind } = entry
    if (this.#refused !== undefined && path.startsWith(this.#refused)) return false
    this.#refused = undefined
    const parent = parentOf(path)
    while (this.#open.length > 1 && this.#open.at(-1)!.path !== parent) this.#open.pop()
    const chosen = this.#options.only?.matches(path) ?? true
    // A folder is judged even when it is not chosen: something below may be.
    if (!chosen && kind !== 'directory') return false
    const refusal = this.#judge(entry)
    if (refusal !== undefined) {
      this.#problem(path, refusal.code, refusal.message)
      if (kind === 'directory') this.#refused = `${path}/`
      return false
    }
    if (kind === 'directory') this.#open.push({ path, taken: this.#folds ? new Set() : undefined })
    if (parent === '' && this.#shown.length < MAX_SHOWN_NAMES) {
      this.#shown.push({ path, kind, sizeBytes: entry.sizeBytes })
    }
    if (chosen) this.#count(entry, parent === '')
    return chosen
  }

  get result(): Judgement {
    return {
      wanted: { ...this.#wanted },
      all: this.#wanted.entries === this.#seen,
      problems: this.#problems,
      problemCount: this.#problemCount,
      linksLeftOut: this.#linksLeftOut,
      hidden: this.#hidden,
      programs: this.#programs,
      kinds: this.#kinds,
      shown: this.#shown
    }
  }

  #judge({ path, kind, target }: ManifestEntry): { code: string; message: string } | undefined {
    const name = nameOf(path)
    const { folder, links } = this.#options
    const refusal = judgeName(name, folder)
    if (refusal !== undefined) return refusal
    if (kind === 'symlink' && !links && !staysInside(path, target ?? '')) {
      this.#linksLeftOut++
      return {
        code: 'LINK_LEFT_OUT',
        message: `it is a link to ${displayPath(target ?? '')}, outside of the folder; --links takes it`
      }
    }
    const taken = this.#open.at(-1)!.taken
    if (taken === undefined) return undefined
    const folded = foldName(name, folder)
    if (taken.has(folded))
      return { code: 'NAME_TAKEN', message: 'this disk cannot tell its name from another one there' }
    taken.add(folded)
    return undefined
  }

  #count({ path, kind, sizeBytes, mode }: ManifestEntry, top: boolean): void {
    this.#wanted.entries++
    this.#wanted.bytes += sizeBytes
    const name = nameOf(path)
    if (top && name.startsWith('.')) this.#hidden++
    if (kind === 'directory') this.#wanted.directories++
    else if (kind === 'symlink') this.#wanted.symlinks++
    else {
      this.#wanted.files++
      const type = typeOfName(name).kind
      this.#kinds.add(type)
      if ((mode & 0o111) !== 0 || type === 'executable' || LAUNCHERS.test(name)) this.#programs++
    }
  }

  #problem(path: string, code: string, message: string): void {
    if (this.#problemCount++ < MAX_LISTED_PROBLEMS) this.#problems.push({ path: displayPath(path), code, message })
  }
}

/** What starts something by a click although it is no program by its type (C12 of the threats). */
const LAUNCHERS = /\.(desktop|lnk|url|webloc|command|inf|reg|hta|jar|appimage|scf)$/i

/** @throws {SpacedriveError} NOTHING_LEFT when a person chose nothing */
export function ensureSomething({ wanted, problemCount }: Judgement): void {
  if (wanted.entries > 0) return
  throw new SpacedriveError(
    'NOTHING_LEFT',
    problemCount > 0 ? 'nothing of this offer can be taken' : 'nothing of this offer fits the patterns',
    { hint: '`spacedrive network offers ID` lists what it holds and what is wrong with it.' }
  )
}
