import {
  type ContentHash,
  fromPlainError,
  type PlainError,
  type RelPath,
  SpacedriveError,
  type WorkerPool
} from '../base/index.js'
import type { FinishedFile } from './file-appender.js'
import { filesInWorker } from './files.worker.js'
import type { RootHandle } from './root.js'
import type { OpenedFile, StagedBlocks, StagedFileWriter, StagedStretch } from './staging.js'
import type { StagingHandle } from './staging-writer.js'

export interface AppendInit {
  /** Stretches of its files may be taken. */
  readonly root: Pick<RootHandle, 'path' | 'device' | 'inode'>
  readonly place: StagingHandle
  readonly path: RelPath
  readonly sizeBytes: number
}

export type AppendRequest = { readonly n: number } & (
  | { readonly kind: 'append'; readonly bytes: Uint8Array }
  | { readonly kind: 'hole'; readonly lengthBytes: number }
  | { readonly kind: 'stretch'; readonly stretch: StagedStretch }
  | { readonly kind: 'blocks'; readonly blocks: StagedBlocks }
  | { readonly kind: 'finish'; readonly expected: FinishedFile }
  | { readonly kind: 'prefix' | 'restart' | 'close' }
)

export interface AppendAnswer {
  /** Which request; 0: it was opened. */
  readonly n: number
  readonly positionBytes: number
  readonly hash?: ContentHash
  /** How many were written. */
  readonly blocks?: number
  readonly error?: PlainError
}

/** While it is opened: so much of what is there was read. */
export interface AppendReading {
  readonly readBytes: number
}

/** Plain `Omit` would melt the union into one shape. */
type Unnumbered<T> = T extends unknown ? Omit<T, 'n'> : never

interface Waiting {
  resolve(answer: AppendAnswer): void
  reject(reason: unknown): void
}

/** A `StagedFileWriter` whose file is open in a link's thread. */
export async function openAppendLink(
  pool: WorkerPool,
  init: AppendInit,
  { onBytes, signal }: Pick<OpenedFile, 'onBytes' | 'signal'>,
  onEnd: () => void
): Promise<StagedFileWriter> {
  const waiting = new Map<number, Waiting>()
  let next = 1
  let positionBytes = 0
  let ended: unknown
  let finished = false

  const opened = new Promise<AppendAnswer>((resolve, reject) => waiting.set(0, { resolve, reject }))
  const link = pool.link(filesInWorker.appendFile, init, {
    signal,
    onEmit(answer: AppendAnswer | AppendReading) {
      if ('readBytes' in answer) {
        onBytes?.(answer.readBytes)
        return
      }
      positionBytes = answer.positionBytes
      const call = waiting.get(answer.n)
      waiting.delete(answer.n)
      if (answer.error === undefined) call?.resolve(answer)
      else call?.reject(fromPlainError(answer.error))
    }
  })
  const end = (reason: unknown): void => {
    ended ??= reason
    for (const call of waiting.values()) call.reject(ended)
    waiting.clear()
    onEnd()
  }
  const result = link.result.then(() => end(new SpacedriveError('STOPPED', `${init.path} was closed`)), end)

  const ask = (request: Unnumbered<AppendRequest>, transfer: ArrayBuffer[] = []): Promise<AppendAnswer> => {
    if (ended !== undefined) return Promise.reject(ended)
    const n = next++
    return new Promise((resolve, reject) => {
      waiting.set(n, { resolve, reject })
      link.post({ n, ...request } as AppendRequest, transfer)
    })
  }
  await opened
  return {
    path: init.path,
    sizeBytes: init.sizeBytes,
    get positionBytes() {
      return positionBytes
    },
    prefixHash: async () => (await ask({ kind: 'prefix' })).hash!,
    append: async bytes => {
      await ask({ kind: 'append', bytes }, wholeBuffer(bytes))
    },
    appendHole: async lengthBytes => void (await ask({ kind: 'hole', lengthBytes })),
    appendStretch: async stretch => void (await ask({ kind: 'stretch', stretch })),
    appendBlocks: async blocks => (await ask({ kind: 'blocks', blocks })).blocks!,
    restart: async () => void (await ask({ kind: 'restart' })),
    async finish(expected) {
      const { hash } = await ask({ kind: 'finish', expected })
      finished = true
      await ask({ kind: 'close' }).catch(() => {})
      return { hash: hash! }
    },
    async close() {
      if (finished) return // its thread may wait for the disk a little longer
      if (ended === undefined) await ask({ kind: 'close' }).catch(() => {})
      await result
    }
  }
}

/** The buffer under these bytes, if they are all of it: it can change hands instead of being copied. */
export function wholeBuffer(bytes: Uint8Array): ArrayBuffer[] {
  const { buffer } = bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength ? [buffer] : []
}
