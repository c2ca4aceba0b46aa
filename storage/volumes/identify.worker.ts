import { type AbsPath, defineTasks } from '../base/index.js'
import { fileSystemId } from '../files/index.js'

export const identifying = defineTasks(import.meta.url, {
  /** See `fileSystemId`; undefined as well where a path cannot be asked. */
  fileSystemId(path: AbsPath): string | undefined {
    try {
      return fileSystemId(path)
    } catch {
      return undefined
    }
  }
})
