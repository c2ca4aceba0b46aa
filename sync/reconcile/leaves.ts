import { nameOf, parentOf } from '../../storage/base/paths.js'
import { decide, type Verdict } from './decide.js'
import { ENDS, type End, isLeaf, type Leaf, otherEnd, type Row, sameContent } from './entry.js'
import { versionDeleted, versionWritten } from './facts.js'
import { agreeMetadata, attributesToSet, modeAt } from './metadata.js'
import { refusedName } from './names.js'
import type { Node } from './node.js'
import type { Operation, PlanRow, Shown } from './operation.js'
import { contentReason } from './reason.js'
import type { Sheet } from './sheet.js'
import type { Case } from './target.js'
import { sameVersion, type Version } from './version.js'

/**
 * Files and links that nothing is entangled with, row by row. Their directories have not moved; they are there already, or an
 * operation before has made them, or they cannot be had, and then nor can what is in them.
 */
export class Leaves {
  readonly #c: Case
  readonly #sheet: Sheet
  readonly #ends: readonly End[]
  #removals = 0
  #lastParent: string | undefined
  #lastNode: Node | undefined

  constructor(c: Case, sheet: Sheet) {
    this.#c = c
    this.#sheet = sheet
    this.#ends = c.options.mode === 'bidirectional' ? ENDS : ['destination']
  }

  /** Directories stay for what shall be in them. */
  markNeeded(): void {
    for (const row of this.#plain()) {
      const directory = this.#directory(row)
      if (directory === undefined) continue
      const verdict = decide(row, this.#c.options)
      if (verdict === 'neither' || verdict === 'leave') continue
      for (const end of this.#ends) if (verdict !== 'apart' || isLeaf(row[end])) directory.needed[end] = true
    }
  }

  /** All but removals, which are counted: they come last. */
  *write(): Generator<PlanRow> {
    for (const row of this.#plain()) {
      const verdict = this.#verdict(row)
      if (typeof verdict !== 'string') yield verdict
      else if (verdict === 'neither' && (isLeaf(row.source) || isLeaf(row.destination))) this.#removals++
      else for (const planned of this.#settle(row, verdict)) yield planned
    }
  }

  *remove(): Generator<PlanRow> {
    if (this.#removals === 0) return
    for (const row of this.#plain()) {
      if (this.#verdict(row) !== 'neither') continue
      for (const end of this.#ends) {
        const expected = row[end]
        if (!isLeaf(expected)) continue
        const reason = row.base === undefined ? 'extra' : 'deleted'
        const operation = this.#sheet.add({
          kind: 'remove',
          end,
          path: row.path,
          reason,
          expected,
          ...versionDeleted(row.source, row.destination)
        })
        yield { row: 'operation', operation }
        if (row.base !== undefined)
          yield { row: 'settle', settle: { kind: 'forget', path: row.path, needs: [operation.id] } }
      }
    }
  }

  *#plain(): Generator<Row> {
    const { entangled } = this.#c.gathered
    for (const row of this.#c.rows.changed()) if (entangled.size === 0 || !entangled.has(row.path)) yield row
  }

  /** The directory of a row, where something was said of it. */
  #directory({ path }: Row): Node | undefined {
    const parent = parentOf(path)
    if (parent === this.#lastParent) return this.#lastNode
    const { forest } = this.#c
    this.#lastParent = parent
    const node = forest.findBase(parent) ?? forest.findAt('source', parent) ?? forest.findAt('destination', parent)
    this.#lastNode = node === forest.root || node?.unlisted === true ? undefined : node?.one
    return this.#lastNode
  }

  /** What is to become of it, or why nothing is. */
  #verdict(row: Row): Verdict | PlanRow {
    const directory = this.#directory(row)
    if (directory !== undefined) {
      for (const end of ENDS) {
        const unseen = directory.hidden[end] || directory.at[end]?.entry?.kind === 'unknown'
        const waits = directory.held?.why === 'waiting' && directory.at[end] === undefined
        if (unseen || waits) {
          const ignored = directory.at[end]?.entry?.kind === 'unknown' && isIgnored(directory)
          if (ignored) return 'apart'
          return { row: 'unsettled', path: row.path, why: unseen ? 'unknown' : 'waiting' }
        }
      }
    }
    const verdict = decide(row, this.#c.options)
    if (verdict !== 'source' && verdict !== 'destination') return verdict
    const end = otherEnd(verdict)
    if (isLeaf(row[end]) && isLeaf(row[verdict])) return this.#cannotHold(row, verdict, end) ?? verdict
    if (directory !== undefined && directory.want[end] === undefined) {
      const held = directory.held
      if (held !== undefined && held.why !== 'problem') return { row: 'unsettled', path: row.path, why: held.why }
      const message = held?.message ?? 'its directory cannot be had there'
      return { row: 'problem', path: row.path, end, code: 'parent', message }
    }
    return this.#cannotHold(row, verdict, end) ?? verdict
  }

  #cannotHold(row: Row, from: End, end: End): PlanRow | undefined {
    const capabilities = this.#c.options[end]
    const message =
      row[from]?.kind === 'symlink' && !capabilities.symlinks
        ? 'links cannot be held there'
        : row[end] === undefined || row[end]?.kind === 'gone'
          ? refusedName(nameOf(row.path), capabilities)
          : undefined
    return message === undefined ? undefined : { row: 'problem', path: row.path, end, code: 'cannot-hold', message }
  }

  /** A list, and no generator of its own for each of a million rows. */
  #settle(row: Row, verdict: Verdict): PlanRow[] {
    const { path, base } = row
    if (verdict === 'same') return [...this.#agree(row)]
    if (verdict === 'source' || verdict === 'destination') return this.#transfer(row, verdict)
    if ((verdict === 'neither' || verdict === 'apart') && base !== undefined)
      return [{ row: 'settle', settle: { kind: 'forget', path, needs: [] } }]
    return []
  }

  #transfer(row: Row, from: End): PlanRow[] {
    const { path, base } = row
    const end = otherEnd(from)
    const content = row[from] as Leaf
    const there = row[end]
    const expected = isLeaf(there) ? there : undefined
    const sameAsBase = base !== undefined && sameContent(content, base)
    const bothWays = this.#c.options.mode === 'bidirectional'
    const reason = contentReason(base !== undefined, sameAsBase, expected !== undefined, bothWays)
    const mode = modeAt(content, end, expected, this.#c.options)
    const { mtimeNs } = content
    const madeBy = this.#sheet.madeBy(end, parentOf(path))
    const [id, needs] = [this.#sheet.take(), madeBy === undefined ? [] : [madeBy]]
    const origin = { end: from, path }
    // Written out: there are as many of these as of anything.
    const operation: Writing =
      expected === undefined
        ? { kind: 'create', id, end, path, reason, needs, content, mode, mtimeNs, from: origin }
        : { kind: 'replace', id, end, path, reason, needs, expected, content, mode, mtimeNs, from: origin }
    const { version } = versionWritten(row.source, row.destination)
    if (version !== undefined) operation.version = version
    this.#sheet.note(operation)
    const [now, by] = [{ now: content }, { by: id }]
    const shown = from === 'source' ? { source: now, destination: by } : { source: by, destination: now }
    return [{ row: 'operation', operation }, put(path, content, shown, [id])]
  }

  *#agree(row: Row): Generator<PlanRow> {
    const { path, base } = row
    const [source, destination] = [row.source as Leaf, row.destination as Leaf]
    const wanted = agreeMetadata(source, destination, base, this.#c.options)
    const shown: Record<End, Shown> = { source: { now: source }, destination: { now: destination } }
    const needs: number[] = []
    for (const end of this.#ends) {
      const now = row[end] as Leaf
      const set = wanted && attributesToSet(wanted, now, end, this.#c.options, true)
      if (set !== undefined) {
        const operation = this.#sheet.add({ kind: 'attributes', end, path, reason: 'metadata', ...set, seen: now })
        needs.push(operation.id)
        shown[end] = { by: operation.id }
        yield { row: 'operation', operation }
      }
      const { version: merged } = versionWritten(source, destination)
      if (merged !== undefined && !sameVersion(merged, now.version)) {
        yield {
          row: 'operation',
          operation: this.#sheet.add({ kind: 'version', end, path, reason: 'metadata', version: merged })
        }
      }
    }
    yield put(path, source, shown, needs)
  }
}

type Writing = Extract<Operation, { kind: 'create' | 'replace' }> & { version?: Version }

const put = (path: Row['path'], what: Leaf, { source, destination }: Record<End, Shown>, needs: number[]): PlanRow => ({
  row: 'settle',
  settle: { kind: 'put', path, what, source, destination, needs }
})

const isIgnored = (node: Node): boolean =>
  ENDS.some(end => {
    const entry = node.at[end]?.entry
    return entry?.kind === 'unknown' && entry.reason === 'ignored'
  })
