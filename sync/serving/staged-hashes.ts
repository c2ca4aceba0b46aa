import { type ContentHash, hasCode, type RelPath, SpacedriveError } from '../../storage/base/index.js'
import { hashFromBytes } from '../../storage/content/index.js'
import { eachStaged, type StagedProblem, toStagedColumns } from '../../storage/files/index.js'
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
  /** The disk was full: what lies here may be in the way of what is wanted next. */
  full = false

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
    const noting = async <T>(work: Promise<T>): Promise<T> => {
      try {
        return await work
      } catch (err) {
        if (hasCode(err, 'NO_SPACE')) this.full = true
        throw err
      }
    }
    const noteProblems = (problems: readonly StagedProblem[]): void => {
      if (problems.some(p => p.code === 'NO_SPACE')) this.full = true
    }
    return {
      id: stage.id,
      fresh: stage.fresh,
      async write(entries, data, options) {
        const columns = toStagedColumns(entries)
        eachStaged(columns, ensureStagedPath)
        const report = await noting(stage.write(columns, data, options))
        const failed = new Set(report.problems.map(p => p.index))
        noteProblems(report.problems)
        eachStaged(columns, (path, i, kind) => {
          if (kind !== 'file' || failed.has(i)) return
          note(path, hashFromBytes(report.hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)))
        })
        return report
      },
      async openFile(path, init) {
        ensureStagedPath(path)
        return notingWriter(await noting(stage.openFile(path, init)), { noting, finished: hash => note(path, hash) })
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

interface Noted {
  noting<T>(work: Promise<T>): Promise<T>
  finished(hash: ContentHash): void
}

function notingWriter(writer: StagedFileWriter, { noting, finished }: Noted): StagedFileWriter {
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
    append: (bytes, options) => noting(writer.append(bytes, options)),
    appendHole: length => writer.appendHole(length),
    appendStretch: stretch => noting(writer.appendStretch(stretch)),
    appendBlocks: blocks => noting(writer.appendBlocks(blocks)),
    restart: () => writer.restart(),
    async finish(expected) {
      const done = await noting(writer.finish(expected))
      finished(done.hash)
      return done
    },
    close: () => writer.close()
  }
}
