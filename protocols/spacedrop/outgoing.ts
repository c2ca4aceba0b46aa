import { basename, join } from 'node:path'
import {
  type AbortOptions,
  type AbsPath,
  type Clock,
  type DeviceId,
  displayPath,
  type FileName,
  type Logger,
  type OfferId,
  pathBytes,
  type Random,
  SpacedriveError
} from '../../storage/base/index.js'
import { ensurePrivateDir, removeEmptyDir, removeFile, writeFileAtomic } from '../../storage/files/index.js'
import type { BuiltManifest, ManifestSource, ManifestStore, ManifestTotals } from '../transfer/index.js'
import type { OfferBook } from './book.js'
import { randomId } from './ids.js'
import type { Judgement } from './judge.js'
import {
  AWAY_LIFETIME_MS,
  MAX_MANIFEST_BYTES,
  MAX_OFFER_DEPTH,
  MAX_OFFER_ENTRIES,
  MAX_SHOWN_NAMES,
  MAX_TEXT_BYTES
} from './limits.js'
import { TEXT_NAME } from './mover.js'
import type { Offer } from './store.js'

export interface OutgoingInit {
  book: OfferBook
  manifests: ManifestStore
  clock: Clock
  random: Random
  /** Texts that are offered, and standard input that was spooled. */
  spoolDir: AbsPath
  log: Logger
}

/** What a person offers. */
export type What =
  | { readonly kind: 'files'; readonly paths: readonly AbsPath[] }
  | { readonly kind: 'text'; readonly text: string }
  /** A file of ours below `spoolDir`, offered as `name` and removed with the offer. */
  | { readonly kind: 'spooled'; readonly path: AbsPath; readonly name: string }

export interface PrepareOptions extends AbortOptions {
  onFound?: (found: ManifestTotals) => void
}

/** Makes offers: walks what is offered, writes its list of names, and puts the offer into the book. */
export class Outgoing {
  readonly #init: OutgoingInit

  constructor(init: OutgoingInit) {
    this.#init = init
  }

  /** @throws NOT_FOUND, TOO_MANY, TOO_MANY_ENTRIES, TOO_LARGE, EMPTY, NOTHING_LEFT */
  async prepare(device: DeviceId, what: What, options: PrepareOptions = {}): Promise<Offer> {
    const { book, manifests, clock, random } = this.#init
    const id = randomId<OfferId>(random)
    const spool = await this.#spool(id, what)
    let built: BuiltManifest | undefined
    try {
      built = await manifests.build(sourcesOf(what, spool), {
        maxEntries: MAX_OFFER_ENTRIES,
        maxDepth: MAX_OFFER_DEPTH,
        names: 'plain',
        signal: options.signal,
        ...(options.onFound !== undefined && { onProgress: options.onFound })
      })
      await ensureOfferable(manifests, built)
      const at = clock.nowMs()
      return await book.add({
        id,
        device,
        direction: 'out',
        kind: what.kind === 'text' ? 'text' : 'files',
        manifest: JSON.stringify({ file: built.file, hash: built.hash, totals: built.totals }),
        hash: built.hash,
        totals: built.totals,
        names: JSON.stringify(await firstNames(manifests, built)),
        spool: spool === undefined ? null : pathBytes(spool),
        problems: JSON.stringify(built.problems),
        problemCount: built.problemCount,
        at,
        expiresAt: at + AWAY_LIFETIME_MS
      })
    } catch (err) {
      if (built !== undefined) await manifests.discard(built)
      if (spool !== undefined) await this.dropSpool(spool)
      throw err
    }
  }

  /** Removes a spooled file, and the folder that was made for it. */
  async dropSpool(path: AbsPath): Promise<void> {
    await removeFile(path)
    await removeEmptyDir(join(path, '..'))
  }

  async #spool(id: OfferId, what: What): Promise<AbsPath | undefined> {
    const { spoolDir } = this.#init
    if (what.kind === 'files') return undefined
    if (what.kind === 'spooled') {
      // Only what lies directly in a folder of the spool: it is removed later.
      if (!new RegExp(`^${escapeRegExp(spoolDir)}/[\\w-]+/[\\w.-]+$`).test(what.path)) {
        throw new SpacedriveError('NOT_OURS', `${displayPath(what.path)} was not spooled by this program`)
      }
      return what.path
    }
    if (what.text === '') throw new SpacedriveError('EMPTY', 'there is no text to send')
    const bytes = Buffer.from(what.text, 'utf8')
    if (bytes.length > MAX_TEXT_BYTES) {
      throw new SpacedriveError(
        'TOO_LARGE',
        `a text drop holds at most ${MAX_TEXT_BYTES} bytes, this one has ${bytes.length}`,
        {
          hint: 'Send it as a file: `spacedrive network spacedrop DEVICE -` reads one from standard input.'
        }
      )
    }
    const dir = join(spoolDir, id)
    await ensurePrivateDir(dir)
    const path = join(dir, TEXT_NAME) as AbsPath
    await writeFileAtomic(path, bytes)
    return path
  }
}

function sourcesOf(what: What, spool: AbsPath | undefined): ManifestSource[] {
  if (what.kind === 'files') return what.paths.map(path => ({ path }))
  const name = (what.kind === 'text' ? TEXT_NAME : what.name) as FileName
  return [{ path: spool!, name: name === '' ? (basename(spool!) as FileName) : name }]
}

/** @throws NOTHING_LEFT, TOO_LARGE */
async function ensureOfferable(manifests: ManifestStore, built: BuiltManifest): Promise<void> {
  if (built.totals.entries === 0) {
    const [first] = built.problems
    throw new SpacedriveError(
      first?.code ?? 'NOTHING_LEFT',
      first === undefined ? 'there is nothing to send' : `could not send ${first.path}: ${first.message}`,
      { hint: 'Nothing of what was named can be sent.' }
    )
  }
  let bytes = 0
  for await (const page of manifests.pages(built)) bytes += page.length
  if (bytes <= MAX_MANIFEST_BYTES) return
  throw new SpacedriveError(
    'TOO_LARGE',
    `the names alone take ${bytes} bytes, ${MAX_MANIFEST_BYTES} can be offered at once`,
    {
      hint: 'Send fewer at a time, or pack them into an archive.'
    }
  )
}

/** The first top-level names, for lists. */
async function firstNames(manifests: ManifestStore, built: BuiltManifest): Promise<Judgement['shown']> {
  const shown: Judgement['shown'][number][] = []
  for await (const page of manifests.entries(built)) {
    for (const { path, kind, sizeBytes } of page) {
      if (path.includes('/')) continue
      shown.push({ path, kind, sizeBytes })
      if (shown.length === MAX_SHOWN_NAMES) return shown
    }
  }
  return shown
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
