import { type ContentHash, type RelPath, SpacedriveError } from '../../storage/base/index.js'
import { hashFromBytes } from '../../storage/content/index.js'
import type { EndpointStage, StagedFileWriter } from '../endpoints/index.js'

const HASH_BYTES = 32

/** Where a driver may stage: what lies beside it in the staging place (old contents on their way to the versions) is ours alone. */
export const isStagedPath = (path: RelPath): boolean => path.startsWith('new/')

function ensureStagedPath(path: RelPath): void {
  if (!isStagedPath(path)) throw new SpacedriveError('NOT_GRANTED', 'content is staged below `new/`')
}

/** What lies in a stage, as this device has hashed it: for those guards that ask whether what went came back. */
export class StagedHashes {
  readonly #hashes = new Map<RelPath, ContentHash>()

  of(path: RelPath): ContentHash | undefined {
    return this.#hashes.get(path)
  }

  /** They have names now, or are gone. */
  forget(paths: readonly RelPath[]): void {
    for (const path of paths) this.#hashes.delete(path)
  }

  /** The same stage; what is written into it is remembered here. */
  noting(stage: EndpointStage): EndpointStage {
    const note = (path: RelPath, hash: ContentHash): void => void this.#hashes.set(path, hash)
    return {
      id: stage.id,
      async write(entries, data, options) {
        for (const { path } of entries) ensureStagedPath(path)
        const report = await stage.write(entries, data, options)
        const failed = new Set(report.problems.map(p => p.index))
        entries.forEach(({ kind, path }, i) => {
          if (kind !== 'file' || failed.has(i)) return
          note(path, hashFromBytes(report.hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)))
        })
        return report
      },
      async openFile(path, init) {
        ensureStagedPath(path)
        return notingWriter(await stage.openFile(path, init), hash => note(path, hash))
      },
      async verify(files, options) {
        for (const { path } of files) ensureStagedPath(path)
        const found = await stage.verify(files, options)
        files.forEach(({ path, hash }, i) => {
          if (found[i] === 'whole') note(path, hash)
        })
        return found
      },
      discard: options => stage.discard(options),
      close: () => stage.close()
    }
  }
}

function notingWriter(writer: StagedFileWriter, finished: (hash: ContentHash) => void): StagedFileWriter {
  return {
    get path() {
      return writer.path
    },
    get sizeBytes() {
      return writer.sizeBytes
    },
    get positionBytes() {
      return writer.positionBytes
    },
    prefixHash: () => writer.prefixHash(),
    append: bytes => writer.append(bytes),
    appendHole: length => writer.appendHole(length),
    appendStretch: stretch => writer.appendStretch(stretch),
    restart: () => writer.restart(),
    async finish(expected) {
      const done = await writer.finish(expected)
      finished(done.hash)
      return done
    },
    close: () => writer.close()
  }
}
