import {
  type AbortOptions,
  type AbsPath,
  hasCode,
  type RelPath,
  resolveRel,
  SpacedriveError
} from '../../storage/base/index.js'
import { AREA_NAME, type EntryStat } from '../../storage/files/index.js'
import type { Endpoint, KeptContents, ReadOptions, ReadPiece } from '../endpoints/index.js'
import { VersionLog } from '../versions/index.js'

/** Opens a folder of this device. */
export type OpenFolder = (path: AbsPath, options?: { create?: boolean } & AbortOptions) => Promise<Endpoint>

/** A version store that is only read. */
export interface StoreRead {
  readonly log: VersionLog
  /** Contents by `ab/HASH`; undefined while nothing was ever kept. */
  readonly contents: KeptContents | undefined
  close(): Promise<void>
}

/** The version store of a folder, read where it lies: nothing is written, and nothing else is needed. */
export interface StoreAt extends StoreRead {
  readonly contents: Endpoint | undefined
}

const VERSIONS = `${AREA_NAME}/versions`

/** @returns undefined when the folder has none */
export async function openStoreAt(
  open: OpenFolder,
  root: AbsPath,
  options: AbortOptions
): Promise<StoreAt | undefined> {
  const find = (name: string): Promise<Endpoint | undefined> =>
    open(resolveRel(root, `${VERSIONS}/${name}` as RelPath), options).catch(err => {
      if (hasCode(err, 'MISSING')) return undefined
      throw err
    })
  const lists = await find('lists')
  if (lists === undefined) return undefined
  const contents = await find('content')
  /** By its name: which file a list was when it was told of. Thinning writes another one in its place. */
  const files = new Map<string, bigint>()
  return {
    contents,
    log: new VersionLog({
      async lists({ signal } = {}) {
        const found: { name: string; sizeBytes: number }[] = []
        for await (const { entries } of lists.list('' as RelPath, { ...(signal && { signal }) }))
          for (const { path, stat } of entries)
            if (stat.kind === 'file') {
              found.push({ name: path, sizeBytes: stat.sizeBytes })
              files.set(path, fileOf(stat))
            }
        return found
      },
      async read(list, { position, maxBytes, signal }) {
        const pieces: Uint8Array[] = []
        const ranges = [{ fromBytes: position, lengthBytes: maxBytes }]
        for await (const piece of readIfThere(lists, list as RelPath, { ranges, ...(signal && { signal }) })) {
          if (piece.kind === 'opened' && fileOf(piece.stat) !== files.get(list)) throw thinnedMeanwhile()
          if (piece.kind === 'data') pieces.push(piece.bytes)
          if (piece.kind === 'hole') pieces.push(new Uint8Array(piece.lengthBytes))
        }
        return Buffer.concat(pieces)
      }
    }),
    async close() {
      await lists.close()
      await contents?.close()
    }
  }
}

/** By its time of birth where it has one: FAT numbers a file anew whenever it likes. */
const fileOf = ({ birthNs, inode }: EntryStat): bigint => (birthNs === 0n ? inode : birthNs)

async function* readIfThere(lists: Endpoint, list: RelPath, options: ReadOptions): AsyncGenerator<ReadPiece> {
  try {
    yield* lists.read(list, options)
  } catch (err) {
    throw hasCode(err, 'MISSING') ? thinnedMeanwhile() : err
  }
}

const thinnedMeanwhile = (): SpacedriveError =>
  new SpacedriveError('CHANGED', 'old versions were let go while they were being read', { hint: 'Ask again.' })
