import { constants } from 'node:fs'
import { access, open } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AbsPath,
  defineTasks,
  displayPath,
  fsPath,
  hasCode,
  nameOf,
  type RelPath,
  SpacedriveError,
  type TaskContext
} from '../../storage/base/index.js'
import type { ContentKind } from '../../storage/entries/index.js'
import { detectFileType, HEAD_BYTES } from '../../storage/file-types/index.js'

export interface EnsureKindsInput {
  /** The folder that holds the files under their paths. */
  readonly staged: AbsPath
  readonly files: readonly { readonly path: RelPath; readonly sizeBytes: number }[]
  readonly types: readonly ContentKind[]
}

export const kindChecks = defineTasks(import.meta.url, {
  /**
   * A rule allows some kinds of files: what came is judged by its content, whatever it calls itself.
   * @throws {SpacedriveError} KIND_REFUSED naming the first file of another kind
   */
  async ensureKinds({ staged, files, types }: EnsureKindsInput, { signal }: TaskContext): Promise<void> {
    await access(fsPath(staged)) // a folder that is not there would let everything pass
    for (const { path, sizeBytes } of files) {
      signal.throwIfAborted()
      const head = await readHead(join(staged, path))
      if (head === undefined) continue // a problem of that path: it did not come, and gets no name
      const { kind } = await detectFileType(nameOf(path), head, sizeBytes)
      if (types.includes(kind)) continue
      const shown = displayPath(path)
      throw new SpacedriveError(
        'KIND_REFUSED',
        `${shown} holds ${kind}, which the rule for this device does not allow`,
        {
          details: { path: shown, kind }
        }
      )
    }
  }
})

async function readHead(path: string): Promise<Uint8Array | undefined> {
  try {
    const handle = await open(fsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await handle.close()
    }
  } catch (err) {
    if (hasCode(err, 'ENOENT')) return undefined
    throw err
  }
}
