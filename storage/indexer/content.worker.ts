import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import {
  type ContentHash,
  defineTasks,
  displayPath,
  errorCode,
  fsPath,
  hasCode,
  nameOf,
  type RelPath,
  SpacedriveError,
  type TaskContext,
  textFromBytes,
  toError
} from '../base/index.js'
import { hashSource, isRacy, sampleCas } from '../content/index.js'
import { CONTENT_KINDS, FLAG, KIND, pathTextOf } from '../entries/index.js'
import { analyseText, detectFileType, type FileType, HEAD_BYTES, typeOfName } from '../file-types/index.js'
import { type Sql, withReader } from '../sql/index.js'

/** A file whose content is to be known, as its row says. */
export interface Candidate {
  readonly id: number
  readonly path: string
  readonly sizeBytes: number
  /** Step of its file system's times, for telling racy stats. */
  readonly clockStepMs: number
}

export interface CandidatesInput {
  readonly databaseFile: string
  readonly root: number
  readonly host: number
  /** Only these entries. */
  readonly ids?: readonly number[]
  /** Entries above this id. */
  readonly after: number
  readonly bypassFilters: boolean
  /** Also what is known already. */
  readonly force: boolean
  readonly limit: number
}

/** What the content of a file was when it was read; the stat is the one that the bytes belong to. */
export interface Identified {
  readonly id: number
  /** As text: hundreds of small buffers cost more to hand over than to make. */
  readonly hash: ContentHash
  /** Hexadecimal. */
  readonly cas: string
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly inode: bigint
  readonly racy: boolean
  readonly type: number
  readonly mime: string | null
}

export interface NotIdentified {
  readonly id: number
  readonly path: string
  readonly code: string
  readonly message: string
}

/** Rows looked through by one call: some 30 ms. */
const ROWS_AT_ONCE = 50_000

/** FAT keeps times in steps of two seconds. File systems without lasting inodes are taken for as coarse. */
const COARSE_STEP_MS = 2_000

const wanted = (force: boolean): string =>
  force ? '' : `AND (content IS NULL OR flags & ${FLAG.STALE | FLAG.RACY | FLAG.UNREADABLE} <> 0)`
const shown = (bypass: boolean): string =>
  `AND flags & ${FLAG.STATLESS | FLAG.UNKNOWN | (bypass ? 0 : FLAG.EXCLUDED)} = 0`

export const contentTasks = defineTasks(import.meta.url, {
  /** The next files below a root whose content is not known, in order of id. `next` undefined: there are no more. */
  candidates(input: CandidatesInput): { files: Candidate[]; next: number | undefined } {
    return withReader(input.databaseFile, (sql: Sql) => {
      const below = belowRoot(sql, input.root)
      const filter = `kind = ${KIND.FILE} ${wanted(input.force)} ${shown(input.bypassFilters)}`
      const files: Candidate[] = []
      const directories = new Map<number, string | undefined>()
      const add = (row: CandidateRow): void => {
        if (!below(row.parent)) return
        if (!directories.has(row.parent)) directories.set(row.parent, pathTextOf(sql, row.parent, input.host))
        const directory = directories.get(row.parent)
        if (directory === undefined) return
        const path = `${directory === '/' ? '' : directory}/${textFromBytes(row.name)}`
        const clockStepMs = row.lasting === 0 ? COARSE_STEP_MS : 0
        files.push({ id: row.id, path, sizeBytes: row.size, clockStepMs })
      }
      if (input.ids !== undefined) {
        const one = sql.prepare<CandidateRow>(`SELECT ${CANDIDATE} FROM entries WHERE id = ? AND ${filter}`)
        for (const id of input.ids) {
          const row = one.get([id])
          if (row !== undefined) add(row)
        }
        return { files, next: undefined }
      }
      const last = sql.prepare<{ id: number | null }>('SELECT max(id) AS id FROM entries').get()?.id ?? 0
      const until = Math.min(last, input.after + ROWS_AT_ONCE)
      const rows = sql
        .prepare<CandidateRow>(`SELECT ${CANDIDATE} FROM entries WHERE id > ? AND id <= ? AND ${filter} ORDER BY id`)
        .iterate([input.after, until])
      for (const row of rows) {
        add(row)
        if (files.length === input.limit) return { files, next: row.id }
      }
      return { files, next: until < last ? until : undefined }
    })
  },

  /** Files and bytes that `candidates` would give in all: for progress. */
  count(input: Omit<CandidatesInput, 'limit' | 'after' | 'ids'>): { files: number; bytes: number } {
    return withReader(input.databaseFile, (sql: Sql) => {
      const below = belowRoot(sql, input.root)
      const filter = `kind = ${KIND.FILE} ${wanted(input.force)} ${shown(input.bypassFilters)}`
      const total = { files: 0, bytes: 0 }
      const rows = sql.prepare<{ parent: number; files: number; bytes: number }>(
        `SELECT parent, count(*) AS files, sum(size) AS bytes FROM entries WHERE ${filter} GROUP BY parent`
      )
      for (const { parent, files, bytes } of rows.iterate()) {
        if (!below(parent)) continue
        total.files += files
        total.bytes += bytes
      }
      return total
    })
  },

  /** Reads files: hash of the whole, sampled id, kind by a look inside. */
  async identify(
    { files }: { files: readonly Candidate[] },
    ctx: TaskContext
  ): Promise<(Identified | NotIdentified)[]> {
    const results: (Identified | NotIdentified)[] = []
    for (const file of files) {
      try {
        results.push(await identifyFile(file, ctx))
      } catch (err) {
        ctx.signal.throwIfAborted()
        results.push({ id: file.id, path: file.path, code: errorCode(err), message: toError(err).message })
      }
    }
    return results
  }
})

const CANDIDATE = 'id, parent, name, size, inode <> 0 AS lasting'

interface CandidateRow {
  id: number
  parent: number
  name: Uint8Array
  size: number
  lasting: number
}

async function identifyFile({ id, path, clockStepMs }: Candidate, ctx: TaskContext): Promise<Identified> {
  const fd = open(path)
  try {
    const read = (into: Uint8Array, position: number): number => readSync(fd, into, 0, into.length, position)
    const stat = () => {
      const s = fstatSync(fd, { bigint: true })
      return { sizeBytes: Number(s.size), mtimeNs: s.mtimeNs, ctimeNs: s.ctimeNs, device: s.dev, inode: s.ino }
    }
    const content = await hashSource({ read, stat }, displayPath(path), { signal: ctx.signal })
    const { sizeBytes, mtimeNs, ctimeNs, inode } = content
    const head = new Uint8Array(Math.min(HEAD_BYTES, sizeBytes))
    const type = await typeOf(nameOf(path as RelPath), head.subarray(0, read(head, 0)), sizeBytes)
    return {
      ...{ id, sizeBytes, mtimeNs, ctimeNs, inode },
      hash: content.hash,
      cas: Buffer.from(sampleCas(sizeBytes, content.hash, read)).toString('hex'),
      racy: isRacy(content, clockStepMs),
      type: CONTENT_KINDS.indexOf(type.kind),
      mime: type.mime ?? null
    }
  } finally {
    closeSync(fd)
  }
}

/** Half of all files are text under a name that says so: there magic numbers, which cost the most, have nothing to add. */
async function typeOf(name: string, head: Uint8Array, sizeBytes: number): Promise<FileType> {
  const byName = typeOfName(name)
  const textual = byName.kind === 'code' || byName.kind === 'text' || byName.kind === 'config'
  // Keys begin like this whatever their name is.
  const keyLike = head[0] === 0x2d || (head[0] === 0x73 && head[1] === 0x73) || (head[0] === 0x65 && head[1] === 0x63)
  if (textual && !keyLike && analyseText(head, head.length >= sizeBytes).encoding === 'utf-8') return byName
  return await detectFileType(name, head, sizeBytes)
}

/** NONBLOCK: a FIFO that took the file's place must not be waited for. */
function open(path: string): number {
  try {
    const fd = openSync(fsPath(path), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
    if (fstatSync(fd).isFile()) return fd
    closeSync(fd)
  } catch (err) {
    if (!hasCode(err, 'ELOOP', 'EMLINK', 'ENXIO')) throw err
  }
  throw new SpacedriveError('NOT_A_FILE', 'it is no regular file any more')
}

/** Whether a directory lies below the root (or is it), remembered on the way. */
export function belowRoot(sql: Sql, root: number): (directory: number) => boolean {
  const parent = sql.prepare<{ parent: number }>('SELECT parent FROM directories WHERE id = ?')
  const known = new Map<number, boolean>([[root, true]])
  return directory => {
    const chain: number[] = []
    let at = directory
    while (!known.has(at) && at > 0) {
      chain.push(at)
      at = parent.get([at])?.parent ?? 0
    }
    const result = known.get(at) ?? false
    // Bounded: a hundred thousand directories are a few megabytes.
    if (known.size < 100_000) for (const id of chain) known.set(id, result)
    return result
  }
}
