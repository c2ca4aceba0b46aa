import { type AbsPath, type ContentHash, type DeviceId, type Problem, textFromBytes } from '../../storage/base/index.js'
import type { ContentKind } from '../../storage/entries/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Manifest, ManifestTotals, Selection } from '../transfer/index.js'
import type { Judgement } from './judge.js'
import type { OfferState } from './offer.js'
import type { Direction, OfferKey } from './offers.worker.js'
import { DEFAULT_RULE, type Rule } from './rules.js'

/** An offer as it is remembered. */
export interface Offer extends OfferKey {
  readonly state: OfferState
  readonly kind: 'files' | 'text'
  /** Until it has ended. */
  readonly manifest: Manifest | undefined
  readonly hash: ContentHash
  readonly totals: ManifestTotals
  readonly names: Judgement['shown']
  readonly selection: Selection
  readonly into: AbsPath | undefined
  readonly keepExecutable: boolean
  readonly types: readonly ContentKind[] | undefined
  readonly spool: AbsPath | undefined
  readonly problems: readonly Problem[]
  readonly problemCount: number
  readonly result: OfferResult | undefined
  readonly code: string | undefined
  readonly message: string | undefined
  readonly answeredBy: 'us' | 'them' | 'rule' | undefined
  readonly untold: boolean
  readonly createdMs: number
  readonly expiresMs: number
  readonly answeredMs: number | undefined
  readonly endedMs: number | undefined
}

export interface OfferResult {
  readonly files: number
  readonly bytes: number
  readonly problems: readonly Problem[]
  readonly problemCount: number
  /** Where the top-level entries lie (in). */
  readonly placed: readonly AbsPath[]
}

type OfferRow = Record<string, string | number | Uint8Array | null>

/** @param where - our own text, never anything from outside */
function select(db: Database, where: string, params: (string | number)[]): Offer[] {
  return db.all<OfferRow>(`SELECT * FROM offers WHERE ${where}`, params).map(offerOf)
}

export function findOffer(db: Database, { id, device, direction }: OfferKey): Offer | undefined {
  return select(db, 'device = ? AND direction = ? AND id = ?', [device, direction, id])[0]
}

/** Newest first. */
export function listOffers(
  db: Database,
  { all = false, limit = 1_000 }: { all?: boolean; limit?: number } = {}
): Offer[] {
  return select(db, `${all ? '1' : 'ended_at IS NULL'} ORDER BY created_at DESC LIMIT ?`, [limit])
}

export function openOffers(db: Database, direction: Direction): Offer[] {
  return select(db, 'direction = ? AND ended_at IS NULL ORDER BY created_at', [direction])
}

/** What a device has to be told: an offer it has not answered, an answer or a withdrawal it has not heard. */
export function dueFor(db: Database, device: DeviceId): Offer[] {
  const open = `direction = 'out' AND device = ? AND ended_at IS NULL AND state IN ('waiting', 'offered')`
  return [
    ...select(db, 'device = ? AND untold = 1 ORDER BY created_at', [device]),
    ...select(db, `${open} AND untold = 0 ORDER BY created_at`, [device])
  ]
}

/** Ended, but its list of names (or its spooled file) is still there: the daemon died in between. */
export function uncleaned(db: Database): Offer[] {
  return select(db, '(manifest IS NOT NULL OR spool IS NOT NULL) AND ended_at IS NOT NULL', [])
}

export function offersByPrefix(db: Database, prefix: string): Offer[] {
  return select(db, 'id >= ? AND id < ? ORDER BY created_at DESC LIMIT 10', [prefix, `${prefix}~`])
}

export function readRule(db: Database, device: DeviceId): Rule {
  const row = db.get<{ mode: string; max_bytes: number | null; types: string | null; to_dir: Uint8Array | null }>(
    'SELECT mode, max_bytes, types, to_dir FROM offer_rules WHERE device = ?',
    [device]
  )
  if (row === undefined) return DEFAULT_RULE
  return {
    mode: row.mode as Rule['mode'],
    maxBytes: row.max_bytes ?? undefined,
    types: row.types === null ? undefined : (JSON.parse(row.types) as ContentKind[]),
    to: row.to_dir === null ? undefined : (textFromBytes(row.to_dir) as AbsPath)
  }
}

export function hasRule(db: Database, device: DeviceId): boolean {
  return db.get('SELECT 1 FROM offer_rules WHERE device = ?', [device]) !== undefined
}

function offerOf(row: OfferRow): Offer {
  const path = (v: OfferRow[string]): AbsPath | undefined =>
    v instanceof Uint8Array ? (textFromBytes(v) as AbsPath) : undefined
  const json = (v: OfferRow[string]): never => (typeof v === 'string' ? JSON.parse(v) : undefined) as never
  const { id, device, direction, state, kind, hash, entries, files, directories, symlinks, bytes } = row
  return {
    ...({ id, device, direction, state, kind, hash } as Pick<
      Offer,
      'id' | 'device' | 'direction' | 'state' | 'kind' | 'hash'
    >),
    totals: { entries, files, directories, symlinks, bytes } as ManifestTotals,
    manifest: json(row.manifest!),
    names: json(row.names!),
    selection: row.selection instanceof Uint8Array ? row.selection : 'all',
    into: path(row.into_dir!),
    keepExecutable: row.keep_exec === 1,
    types: json(row.types!),
    spool: path(row.spool!),
    problems: json(row.problems!),
    problemCount: row.problem_count as number,
    result: json(row.result!),
    code: (row.code as string | null) ?? undefined,
    message: (row.message as string | null) ?? undefined,
    answeredBy: (row.answered_by as Offer['answeredBy'] | null) ?? undefined,
    untold: row.untold === 1,
    createdMs: row.created_at as number,
    expiresMs: row.expires_at as number,
    answeredMs: (row.answered_at as number | null) ?? undefined,
    endedMs: (row.ended_at as number | null) ?? undefined
  }
}
