import type { AbortOptions, AbsPath } from '../../storage/base/index.js'
import type { FileRoot, Marker, SourceHandle } from '../../storage/files/index.js'
import type { LocalRoot } from './local/reading.js'

/**
 * What only a folder of this device offers: its place and the handles of storage/files, for renames, shared blocks and copies
 * within the kernel between two ends on one volume. Never sent anywhere.
 */
export interface LocalPort {
  readonly path: AbsPath
  /** For tasks that copy out of it in a worker (`copierHere`): opened on the first call, closed with the endpoint; nothing is written. */
  source(options?: AbortOptions): Promise<SourceHandle>
  /** For tasks that look at it in a worker (`walkHere`). */
  reading(): LocalRoot
  /**
   * The root with everything that storage/files can do in it; opened on the first call, closed with the endpoint.
   * @throws {SpacedriveError} READ_ONLY, NO_PERMISSION
   */
  fileRoot(options?: AbortOptions): Promise<FileRoot>
  /** What `.spacedrive/root.json` there says; nothing is written. @throws {SpacedriveError} MARKER_DAMAGED */
  marker(options?: AbortOptions): Promise<Marker | undefined>
}
