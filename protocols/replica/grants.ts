import {
  type AbsPath,
  type Clock,
  type DeviceId,
  isWithin,
  pathBytes,
  textFromBytes
} from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import { grantWrites } from './grants.worker.js'

export type Access = 'read' | 'write'

export interface Grant {
  readonly device: DeviceId
  /** Where the folder really lies. */
  readonly path: AbsPath
  readonly access: Access
  readonly madeBy: string
  readonly madeAtMs: number
}

/** Which folders of this device other devices may reach: none by default. They go with the device (node/devices). */
export interface Grants {
  /**
   * Gives a folder and all below it; given again, with the access of the last time.
   * @param madeBy - what takes it away again: `PERSON`, or the sync that needs it
   * @throws {SpacedriveError} TOO_MANY
   */
  add(device: DeviceId, path: AbsPath, access: Access, madeBy?: string): Promise<void>
  /** @returns whether there was one for exactly this folder */
  remove(device: DeviceId, path: AbsPath, madeBy?: string): Promise<boolean>
  list(device?: DeviceId): readonly Grant[]
  /**
   * The grant by which a device may reach a path, if there is one. What a sync needs is granted to that sync alone, and exactly
   * its folder. @param path - where it really lies @param madeBy - `PERSON`, or that sync
   */
  covering(device: DeviceId, path: string, access: Access, madeBy?: string): Grant | undefined
}

export const PERSON = 'person'

interface Row {
  readonly device: DeviceId
  readonly path: Uint8Array
  readonly access: Access
  readonly made_by: string
  readonly made_at: number
}

export function grants(db: Database, clock: Clock): Grants {
  const list = (device?: DeviceId): Grant[] =>
    db
      .all<Row>('SELECT * FROM grants ORDER BY device, path')
      .filter(row => device === undefined || row.device === device)
      .map(row => ({
        ...{ device: row.device, path: textFromBytes(row.path) as AbsPath, access: row.access },
        ...{ madeBy: row.made_by, madeAtMs: row.made_at }
      }))
  return {
    list,
    add: (device, path, access, madeBy = PERSON) =>
      db.write(grantWrites.add, { device, path: pathBytes(path), madeBy, access, at: clock.nowMs() }),
    remove: (device, path, madeBy = PERSON) => db.write(grantWrites.remove, { device, path: pathBytes(path), madeBy }),
    covering: (device, path, access, madeBy = PERSON) =>
      list(device).find(
        g =>
          g.madeBy === madeBy &&
          (madeBy === PERSON ? isWithin(path, g.path) : path === g.path) &&
          (access === 'read' || g.access === 'write')
      )
  }
}
