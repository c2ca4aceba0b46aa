import { type AbortOptions, type AbsPath, hasCode, type RelPath, resolveRel } from '../../storage/base/index.js'
import { AREA_NAME } from '../../storage/files/index.js'
import type { Endpoint } from '../endpoints/index.js'
import { VersionLog } from '../versions/index.js'

/** Opens a folder of this device. */
export type OpenFolder = (path: AbsPath, options?: { create?: boolean } & AbortOptions) => Promise<Endpoint>

/** The version store of a folder, read where it lies: nothing is written, and nothing else is needed. */
export interface StoreAt {
  readonly log: VersionLog
  /** Contents by `ab/HASH`; undefined while nothing was ever kept. */
  readonly contents: Endpoint | undefined
  close(): Promise<void>
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
  return {
    contents,
    log: new VersionLog({
      async lists({ signal } = {}) {
        const found: { name: string; sizeBytes: number }[] = []
        for await (const { entries } of lists.list('' as RelPath, { ...(signal && { signal }) }))
          for (const { path, stat } of entries)
            if (stat.kind === 'file') found.push({ name: path, sizeBytes: stat.sizeBytes })
        return found
      },
      async read(list, { position, maxBytes, signal }) {
        const pieces: Uint8Array[] = []
        const ranges = [{ fromBytes: position, lengthBytes: maxBytes }]
        for await (const piece of lists.read(list as RelPath, { ranges, ...(signal && { signal }) })) {
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
