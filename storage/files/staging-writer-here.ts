import { Copier } from './copier.js'
import type { CopierInit } from './copy-looks.js'
import { diskHere } from './disk-here.js'
import { type StagingHandle, StagingWriter } from './staging-writer.js'

/**
 * A staging place from within a task that runs in a worker: synchronous, without messages. Close it when the task ends.
 *
 *   const writer = stagingWriter(handle)                    // `Staging.handle`, sent along with the task's input
 *   const { problems } = writer.write(entries, bytes)
 *   const file = await writer.openFile(path, { sizeBytes }) // then file.append(chunk) ... file.finish({ hash })
 */
export function stagingWriter(handle: StagingHandle): StagingWriter {
  return new StagingWriter(diskHere(), handle)
}

/** The same for a copy within this device: see `Copier`. */
export function copierHere(init: CopierInit): Copier {
  return new Copier(init.source.disk ?? diskHere(), init)
}

export { type StagingHandle, StagingWriter }
