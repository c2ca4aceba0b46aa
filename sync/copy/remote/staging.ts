import {
  type AbortOptions,
  type ContentHash,
  displayPath,
  errorCode,
  type Problem,
  pathBytes,
  type RelPath,
  SpacedriveError
} from '../../../storage/base/index.js'
import { hashBytes, hashFromBytes } from '../../../storage/content/index.js'
import type { EntryStat, StagedEntry } from '../../../storage/files/index.js'
import { bringLarge, type FileAttributes, type SmallFile, transferLarge, transferSmall } from '../../delta/index.js'
import { type Endpoint, type EndpointStage, MAX_LOOKS, MAX_PACKED_FILE_BYTES } from '../../endpoints/index.js'
import { problem } from '../take-problems.js'
import { isFatalHere } from './away.js'
import type { CopyItem } from './work.js'

export interface StagingInit {
  readonly source: Endpoint
  readonly destination: Endpoint
  readonly stage: EndpointStage
  /** Which of the trees: a part of the names in the stage. */
  readonly tree: number
  /** Copies get the time of their sources; else this one. */
  readonly beganNs: bigint | undefined
  /** Content is read back from the disk there and compared. */
  readonly verify: boolean
  /** An earlier try was cut short: what lies staged whole is not sent again. */
  readonly resumed: boolean
  /** Content that came over, as it comes. */
  bytes(n: number): void
  /** Content that an earlier try had sent. */
  found(n: number): void
  /** Content that what is replaced has in common with it. */
  common(n: number): void
}

/** What lies in the stage ready for its name: `stat` is that of the source when it was read. */
export interface StagedTodo {
  readonly item: CopyItem
  readonly staged: RelPath
  readonly stat: EntryStat
  readonly hash: ContentHash | undefined
}

export interface StagedWork {
  readonly staged: ReadonlyMap<CopyItem, StagedTodo>
  readonly problems: readonly Problem[]
}

/** A small file on its way, and whose content it is. */
interface Sought extends SmallFile {
  readonly item: CopyItem
}

/** What is no hash of anything: tells what lies there from what does not, without reading the source. */
const NO_HASH = hashFromBytes(new Uint8Array(32))

/** Brings content from one end into the stage of the other: small files many to a message, large ones in pieces. */
export async function stageCopies(
  init: StagingInit,
  items: readonly CopyItem[],
  options: AbortOptions
): Promise<StagedWork> {
  const staging = new Staging(init, options)
  await staging.links(items.filter(t => t.stat.kind === 'symlink'))
  const files = items.filter(t => t.stat.kind === 'file')
  const small = files.filter(t => t.stat.sizeBytes <= MAX_PACKED_FILE_BYTES)
  const large = files.filter(t => t.stat.sizeBytes > MAX_PACKED_FILE_BYTES)
  const bring = (item: CopyItem): Promise<void> => staging.large(item)
  const grown: CopyItem[] = []
  const packed = async (): Promise<void> => {
    grown.push(...(await staging.small(init.resumed ? await staging.withoutWhole(small) : small)))
  }
  await bringLarge(large, bring, [packed()])
  await bringLarge(grown, bring)
  if (init.verify) await staging.verify()
  return staging
}

class Staging implements StagedWork {
  readonly staged = new Map<CopyItem, StagedTodo>()
  readonly problems: Problem[] = []
  readonly #init: StagingInit
  readonly #names = new Map<CopyItem, RelPath>()
  readonly #options: AbortOptions

  constructor(init: StagingInit, options: AbortOptions) {
    this.#init = init
    this.#options = options
  }

  async links(items: readonly CopyItem[]): Promise<void> {
    for (let at = 0; at < items.length; at += MAX_LOOKS) {
      const some = items.slice(at, at + MAX_LOOKS)
      const entries = some.map((t): StagedEntry => {
        const kept = { path: this.#nameOf(t), mtimeNs: this.#init.beganNs ?? t.stat.mtimeNs }
        return { kind: 'symlink', target: t.link ?? '', ...kept }
      })
      const { problems } = await this.#init.stage.write(entries, new Uint8Array(0), this.#options)
      const failed = this.#failed(some, problems)
      for (const t of some) if (!failed.has(t)) this.#done(t, t.stat, undefined)
    }
  }

  /** @returns those that have grown too large for this way */
  async small(items: readonly CopyItem[]): Promise<CopyItem[]> {
    const { source, stage, bytes } = this.#init
    const grown: CopyItem[] = []
    const files = items.map(item => ({
      ...{ item, path: item.source, sizeBytes: item.stat.sizeBytes, stagedAs: this.#nameOf(item) }
    }))
    const attributes = (_: unknown, stat: EntryStat) => this.#attributesOf(stat)
    const init = { from: source, to: stage, files, attributes, ...this.#options }
    for await (const some of transferSmall<Sought>(init)) {
      let came = 0
      for (const { file, ...found } of some) {
        if (found.problem === undefined) {
          came += found.length
          this.#done(file.item, found.stat, found.hash)
        } else if (found.problem.code === 'TOO_LARGE') grown.push(file.item)
        else this.problems.push(found.problem)
      }
      bytes(came)
    }
    return grown
  }

  /** What an earlier try staged whole is left out. Hashes of the source are asked only for what lies there. */
  async withoutWhole(items: readonly CopyItem[]): Promise<CopyItem[]> {
    const { source, stage } = this.#init
    const left: CopyItem[] = []
    for (let at = 0; at < items.length; at += MAX_LOOKS) {
      const some = items.slice(at, at + MAX_LOOKS)
      const asked = some.map(t => ({ path: this.#nameOf(t), sizeBytes: t.stat.sizeBytes, hash: NO_HASH }))
      const states = await stage.verify(asked, this.#options)
      left.push(...some.filter((_, i) => states[i] === 'missing'))
      const there = some.filter((_, i) => states[i] !== 'missing')
      if (there.length === 0) continue
      const read: { item: CopyItem; stat: EntryStat; hash: ContentHash }[] = []
      let i = 0
      for await (const file of source.hash(
        there.map(t => t.source),
        this.#options
      )) {
        const item = there[i++]!
        if (file.problem !== undefined) left.push(item)
        else read.push({ item, stat: file.stat, hash: file.hash })
      }
      const wanted = read.map(r => ({ path: this.#nameOf(r.item), sizeBytes: r.stat.sizeBytes, hash: r.hash }))
      const whole = await stage.verify(wanted, this.#options)
      for (const [n, { item, stat, hash }] of read.entries()) {
        if (whole[n] !== 'whole' || stat.mtimeNs !== item.stat.mtimeNs) {
          left.push(item)
          continue
        }
        this.#init.found(stat.sizeBytes)
        this.#done(item, stat, hash)
      }
    }
    return left
  }

  async large(item: CopyItem): Promise<void> {
    try {
      const { source, destination, stage, bytes, found, common } = this.#init
      const count = { source: bytes, stage: found, basis: common }
      const { stat, hash } = await transferLarge({
        ...{ from: source, path: item.source, sizeBytes: item.stat.sizeBytes, to: stage, stagedAs: this.#nameOf(item) },
        basis: item.replaces?.kind === 'file' ? { at: destination, path: item.to } : undefined,
        attributes: stat => this.#attributesOf(stat),
        onBytes: (n, from) => count[from](n),
        ...this.#options
      })
      this.#done(item, stat, hash)
    } catch (err) {
      this.#options.signal?.throwIfAborted()
      if (isFatalHere(err)) throw err
      this.problems.push(CHANGED.has(errorCode(err)) ? changed(item.source) : problem(item.source, err))
    }
  }

  async verify(): Promise<void> {
    const files = [...this.staged.values()].filter(s => s.hash !== undefined)
    for (let at = 0; at < files.length; at += MAX_LOOKS) {
      const some = files.slice(at, at + MAX_LOOKS)
      const asked = some.map(({ staged, stat, hash }) => ({ path: staged, sizeBytes: stat.sizeBytes, hash: hash! }))
      const states = await this.#init.stage.verify(asked, this.#options)
      for (const [i, { item }] of some.entries()) {
        if (states[i] === 'whole') continue
        this.staged.delete(item)
        const shown = displayPath(item.to)
        const message = `could not copy ${shown}: what was read back from the disk is not what was written`
        this.problems.push({ path: shown, code: 'VERIFY_FAILED', message })
      }
    }
  }

  #done(item: CopyItem, stat: EntryStat, hash: ContentHash | undefined): void {
    this.staged.set(item, { item, staged: this.#nameOf(item), stat, hash })
  }

  #failed(items: readonly CopyItem[], problems: readonly (Problem & { index: number })[]): Set<CopyItem> {
    const failed = new Set<CopyItem>()
    for (const { index, code, message } of problems) {
      const item = items[index]!
      failed.add(item)
      this.problems.push({ path: displayPath(item.to), code, message })
    }
    return failed
  }

  #attributesOf({ mode, mtimeNs }: EntryStat): FileAttributes {
    return { mode: mode & 0o777, mtimeNs: this.#init.beganNs ?? mtimeNs }
  }

  #nameOf(item: CopyItem): RelPath {
    const known = this.#names.get(item) ?? this.#newName(item)
    this.#names.set(item, known)
    return known
  }

  /** The same in each try, as long as the source is what it was: whatever lies under it belongs to this very version. */
  #newName({ source, stat }: CopyItem): RelPath {
    const { sizeBytes, mtimeNs, ctimeNs, inode, mode } = stat
    // As raw numbers: to write five of them out took as long as the hash.
    const numbers = Buffer.allocUnsafe(36)
    numbers.writeDoubleLE(sizeBytes, 0)
    numbers.writeBigInt64LE(mtimeNs, 8)
    numbers.writeBigInt64LE(ctimeNs, 16)
    numbers.writeBigUInt64LE(BigInt.asUintN(64, inode), 24)
    numbers.writeUInt32LE(mode, 32)
    const version = Buffer.concat([numbers, pathBytes(`${this.#init.tree}\0${source}` as RelPath)])
    return `new/${hashBytes(version).slice(0, 32)}` as RelPath
  }
}

const CHANGED = new Set(['HASH_MISMATCH', 'SIZE_EXCEEDED', 'INCOMPLETE', 'CHANGED_WHILE_READING'])

const changed = (path: RelPath): Problem =>
  problem(path, new SpacedriveError('CHANGED_WHILE_READING', `${displayPath(path)} was changed while it was copied`))
