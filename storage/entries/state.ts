import { SpacedriveError } from '../base/index.js'
import type { Sql } from '../sql/index.js'

/** What the writer thread of a library keeps in memory: the next numbers. They only grow, also over a write that failed. */
export interface IndexState {
  nextId: number
  nextSeq: number
}

const states = new WeakMap<Sql, IndexState>()

/**
 * Says where the numbers of this connection begin; once, right after opening.
 * @param firstSeq - above everything reserved before, by whomever
 */
export function beginIndex(sql: Sql, firstSeq: number): IndexState {
  const number = (name: string): number => Number(getMeta(sql, name) ?? 0)
  const state: IndexState = {
    nextId: Math.max(1, number('next_id')),
    nextSeq: Math.max(1, number('next_seq'), firstSeq)
  }
  states.set(sql, state)
  saveState(sql, state)
  return state
}

export function indexState(sql: Sql): IndexState {
  const state = states.get(sql)
  if (state === undefined) throw new SpacedriveError('INTERNAL', `the index ${sql.file} was not begun`)
  return state
}

/** Kept with each write, so that a number is never given twice even when the rows that bore the highest are gone. */
export function saveState(sql: Sql, { nextId, nextSeq }: IndexState): void {
  setMeta(sql, 'next_id', String(nextId))
  setMeta(sql, 'next_seq', String(nextSeq))
}

export function getMeta(sql: Sql, name: string): string | undefined {
  return sql.prepare<{ value: string }>('SELECT value FROM meta WHERE name = ?').get([name])?.value
}

export function setMeta(sql: Sql, name: string, value: string): void {
  sql
    .prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value')
    .run([name, value])
}
