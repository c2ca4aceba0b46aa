import { type AbortOptions, type Problem, type RelPath, SpacedriveError } from '../../../storage/base/index.js'
import type { EntryStat } from '../../../storage/files/index.js'
import {
  type EndpointKept,
  type EndpointStage,
  type KeptContents,
  type KeptPage,
  type KeptWanted,
  MAX_LOOKS,
  type ReadOptions,
  type ReadPack,
  type ReadPiece
} from '../../../sync/endpoints/index.js'
import { keptHash, keptPath } from '../kept.js'
import { LISTED_ENTRIES_A_SECOND, LISTING_PATIENCE_MS, MAX_KEPT_LETTERS, MAX_KEPT_LINES } from '../limits.js'
import type { Caller } from './caller.js'
import { malformed } from './failures.js'
import { packInOrder, piecesInOrder } from './in-order.js'
import { RemoteStage } from './remote-stage.js'

/** What the device at the other end keeps of a folder that was opened for a sync. What it answers is checked, never believed. */
export class RemoteKept implements EndpointKept {
  readonly contents: KeptContents
  /** An answer of more has no end. */
  mostLines = MAX_KEPT_LINES
  mostLetters = MAX_KEPT_LETTERS
  readonly #caller: Caller

  constructor(caller: Caller) {
    this.#caller = caller
    this.contents = {
      look: (paths, options) => this.#look(paths, options),
      readPack: (paths, options) => this.#readPack(paths, options),
      read: (path, options) => this.#read(path, options)
    }
  }

  async *lines({
    contents = false,
    signal
  }: { readonly contents?: boolean } & AbortOptions = {}): AsyncGenerator<KeptPage, void, void> {
    let begun = false
    let count = 0
    let letters = 0
    /** For the other device alone. */
    let waitedMs = 0
    let askedMs = this.#caller.nowMs()
    for await (const { value } of this.#caller.stream('keptLines', { contents }, { signal })) {
      waitedMs += this.#caller.nowMs() - askedMs
      if (begun === (value.kind === 'reach')) throw malformed('versions out of order')
      begun = true
      if (value.kind === 'lines') {
        count += value.texts.length
        for (const text of value.texts) letters += text.length
      }
      if (count > this.mostLines || letters > this.mostLetters) throw malformed('versions without an end')
      if (waitedMs > LISTING_PATIENCE_MS + (count / LISTED_ENTRIES_A_SECOND) * 1000)
        throw new SpacedriveError(
          'UNREACHABLE',
          `the device took ${Math.round(waitedMs / 60_000)} min for its versions`
        )
      yield value
      askedMs = this.#caller.nowMs()
    }
    if (!begun) throw malformed('no versions')
  }

  async stage(
    stage: EndpointStage,
    files: readonly KeptWanted[],
    options: AbortOptions = {}
  ): Promise<ReadonlyMap<number, Problem>> {
    if (!(stage instanceof RemoteStage)) throw new TypeError('content is staged at its own end')
    const problems = new Map<number, Problem>()
    for (let at = 0; at < files.length; at += MAX_LOOKS) {
      const some = files.slice(at, at + MAX_LOOKS)
      const { value } = await this.#caller.call('keptStage', { stage: stage.handle, files: some }, options)
      for (const { index, ...problem } of value.problems) {
        if (index >= some.length) throw malformed('other files than were staged')
        problems.set(at + index, problem)
      }
    }
    return problems
  }

  async #look(paths: readonly RelPath[], options: AbortOptions = {}): ReturnType<KeptContents['look']> {
    if (paths.length === 0) return []
    const { value } = await this.#caller.call('keptLook', { hashes: paths.map(keptHash) }, options)
    if (value.kept.length !== paths.length) throw malformed('contents')
    return paths.map((path, i) => ({ path, ...(value.kept[i] === true && { entry: { path, stat: SOME_FILE } }) }))
  }

  async #readPack(paths: readonly RelPath[], options: AbortOptions = {}): Promise<ReadPack> {
    const { value, data } = await this.#caller.call('keptPack', { hashes: paths.map(keptHash) }, options)
    return packInOrder(paths, value, data)
  }

  #read(path: RelPath, { ranges, hashed, shared, signal }: ReadOptions = {}): AsyncIterable<ReadPiece> {
    const hash = keptHash(path)
    if (keptPath(hash) !== path) throw new TypeError('contents lie under their hash')
    const input = { hash, ...(ranges && { ranges: [...ranges] }), ...(hashed && { hashed }) }
    return piecesInOrder(this.#caller.parts('keptRead', input, { signal }), shared === true)
  }
}

/** Whoever asks wants to know whether there is one. */
const SOME_FILE: EntryStat = {
  ...{ kind: 'file', sizeBytes: 0, mtimeNs: 0n, ctimeNs: 0n, birthNs: 0n, device: 0n, inode: 0n, mount: 0n },
  ...{ mode: 0, links: 1, uid: 0 }
}
