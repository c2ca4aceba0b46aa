/** What is to be staged on the wire: names joined; beside them the content of all files, then their numbers as columns. */
import { STAGED_MARKS, type StagedColumns, type StagedEntries, toStagedColumns } from '../../storage/files/index.js'
import { wireError } from '../wire/index.js'
import type { Input } from './calls.js'
import { areAscending, areNames, columnToWire, cutColumns } from './columns.js'

type Staged = Omit<Input<'stageWrite'>, 'stage'>

/** Bytes of a file in each column, in their order: range, hash, mtime, mode, marks. */
const WIDTHS = [16, 32, 8, 2, 1]
const FILE_BYTES = WIDTHS.reduce((a, b) => a + b, 0)
const MAX_MODE = 0o7777

/** @param content - of the files */
export function stagedToWire(entries: StagedEntries, content: Uint8Array): { values: Staged; data: Uint8Array[] } {
  const { count, paths, others, ranges, hashes, mtimesNs, modes, marks } = toStagedColumns(entries)
  const columns = [ranges, hashes, mtimesNs, modes, marks].map(columnToWire)
  return { values: { count, paths, others: [...others] }, data: [content, ...columns] }
}

/**
 * @returns what lies in `data`, whose end is theirs no more than that of a file
 * @throws {SpacedriveError} MALFORMED when it is not what `stagedToWire` makes: every name and number is looked at
 */
export function stagedFromWire({ count, paths, others }: Staged, data: Uint8Array): StagedColumns {
  const malformed = (why: string) => wireError('MALFORMED', `what is to be staged is not in order: ${why}`)
  const files = count - others.length
  const contentBytes = data.length - files * FILE_BYTES
  if (!areAscending(others, count)) throw malformed('an index')
  if (contentBytes < 0) throw malformed('its length')
  if (!areNames(paths, files)) throw malformed('a name')
  const [a, b, c, d, e] = cutColumns(data.subarray(contentBytes), files, WIDTHS)
  const columns: StagedColumns = {
    ...{ count, paths, others, ranges: new Float64Array(a!), hashes: new Uint8Array(b!) },
    ...{ mtimesNs: new BigInt64Array(c!), modes: new Uint16Array(d!), marks: new Uint8Array(e!) }
  }
  for (let i = 0; i < files; i++) {
    const [offset, length] = [columns.ranges[2 * i]!, columns.ranges[2 * i + 1]!]
    const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0
    if (!whole || offset + length > contentBytes) throw malformed('where a file lies')
  }
  if (columns.modes.some(mode => mode > MAX_MODE)) throw malformed('a mode')
  if (columns.marks.some(mark => mark > STAGED_MARKS)) throw malformed('a mark')
  return columns
}
