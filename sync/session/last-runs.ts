import type { Database } from '../../storage/sql/index.js'
import type { RunKind } from './changes.worker.js'
import type { Sync } from './record.js'
import type { RunReport } from './report.js'

export interface LastRun {
  readonly id: string
  /** A session, or what a person brought back or took back: that says nothing of the state of the sync. */
  readonly kind: RunKind
  readonly beganAtMs: number
  readonly endedAtMs: number
  readonly state: string
  readonly report: RunReport | undefined
}

interface RunRow {
  id: string
  kind: string
  began_at: number
  ended_at: number
  state: string
  result: string | null
}

const ENDED = `SELECT id, kind, began_at, ended_at, state, result FROM sync_runs
  WHERE sync = ? AND ended_at IS NOT NULL AND state IS NOT NULL`
const NEWEST = 'ORDER BY began_at DESC, ended_at DESC LIMIT ?'

/** The newest first; runs that go on are none yet. */
export function lastRuns(db: Database, { id }: Pick<Sync, 'id'>, limit: number): LastRun[] {
  return db.all<RunRow>(`${ENDED} ${NEWEST}`, [id, limit]).map(runOf)
}

/** The last session: what a sync stands on. */
export function lastRun(db: Database, { id }: Pick<Sync, 'id'>): LastRun | undefined {
  const row = db.get<RunRow>(`${ENDED} AND kind = 'run' ${NEWEST}`, [id, 1])
  return row && runOf(row)
}

/** The newest sessions that met conflicts, settled or not. */
export function lastWithConflicts(db: Database, { id }: Pick<Sync, 'id'>, limit: number): LastRun[] {
  return db.all<RunRow>(`${ENDED} AND result LIKE '%"resolution":"%' ${NEWEST}`, [id, limit]).map(runOf)
}

function runOf(raw: RunRow): LastRun {
  return {
    ...{ id: raw.id, kind: raw.kind as RunKind, beganAtMs: raw.began_at, endedAtMs: raw.ended_at, state: raw.state },
    report: reportIn(raw.result)
  }
}

function reportIn(result: string | null): RunReport | undefined {
  const report = result === null ? undefined : (JSON.parse(result) as Partial<RunReport>)
  return report?.state === undefined ? undefined : (report as RunReport)
}
