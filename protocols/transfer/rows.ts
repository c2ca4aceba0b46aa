import {
  type AbsPath,
  type DeviceId,
  isUuid,
  pathBytes,
  type TransferId,
  textFromBytes
} from '../../storage/base/index.js'
import type { InstanceDatabase } from '../../storage/instance/index.js'
import type { Row } from '../../storage/sql/index.js'
import type { TransferRecord } from './index.js'
import type { ListedProblem } from './problem-list.js'
import type { Placed } from './receive/incoming.js'

/** A row as the service uses it. */
export interface TransferRow extends TransferRecord {
  readonly into: AbsPath | undefined
  readonly staged: boolean
  readonly untold: boolean
  readonly problemCount: number
  readonly problems: readonly ListedProblem[]
  readonly placed: readonly Placed[]
}

export interface TransferRows {
  find(id: TransferId): TransferRow | undefined
  list(owner?: string): TransferRow[]
  ofDevice(device: DeviceId): TransferRow[]
  /** Ended with something in staging. */
  toClean(): TransferRow[]
  /** Cancelled here, and the device does not know yet. */
  untold(device: DeviceId): TransferRow[]
}

/** At most so many rows leave a query on the event loop. */
const MAX_ROWS = 1_000

export function transferRows(database: InstanceDatabase): TransferRows {
  const all = (where: string, params: readonly string[]): TransferRow[] =>
    database.all<Row>(`SELECT * FROM transfers ${where} ORDER BY created_ms, id LIMIT ${MAX_ROWS}`, params).map(fromRow)
  return {
    find: id => (isUuid(id) ? all('WHERE id = ?', [id])[0] : undefined),
    list: owner => (owner === undefined ? all('', []) : all('WHERE owner = ?', [owner])),
    ofDevice: device => all('WHERE device = ?', [device]),
    toClean: () => all("WHERE staged = 1 AND state != 'active'", []),
    untold: device => all('WHERE device = ? AND untold = 1', [device])
  }
}

export const intoBytes = (into: AbsPath | undefined): Uint8Array | null =>
  into === undefined ? null : new Uint8Array(pathBytes(into))

function fromRow(row: Row): TransferRow {
  const code = row.code as string | null
  return {
    id: row.id as TransferId,
    device: row.device as DeviceId,
    direction: row.direction as 'send' | 'receive',
    owner: row.owner as string,
    state: row.state as TransferRow['state'],
    ...(code !== null && { code }),
    doneFiles: row.done_files as number,
    doneBytes: row.done_bytes as number,
    createdMs: row.created_ms as number,
    updatedMs: row.updated_ms as number,
    into: row.into_path === null ? undefined : (textFromBytes(row.into_path as Uint8Array) as AbsPath),
    staged: row.staged === 1,
    untold: row.untold === 1,
    problemCount: row.problem_count as number,
    problems: JSON.parse(row.problems as string) as ListedProblem[],
    placed: JSON.parse(row.placed as string) as Placed[]
  }
}
