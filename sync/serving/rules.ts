/** Rules for requests: which syncs another device may have with folders here without a person being asked each time (PEERS.md 4). */
import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  type AbsPath,
  type Clock,
  type DeviceId,
  displayPath,
  errorCode,
  fsPath,
  isWithin,
  pathBytes,
  SpacedriveError,
  textFromBytes
} from '../../storage/base/index.js'
import { AREA_NAME, isTempName } from '../../storage/files/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Mode } from '../reconcile/index.js'
import { isWritten, type ServedSync } from './record.js'
import { type RawRule, ruleWrites } from './rules.worker.js'

/** What is taken unasked of a device; what no rule takes waits for a person. */
export interface SyncRule {
  readonly device: DeviceId
  /** Where the folder really lies: it and all below it may be asked for. */
  readonly path: AbsPath
  readonly modes: readonly Mode[]
  /** `read`: only where the driver changes nothing here. */
  readonly access: 'read' | 'write'
  /** How long what is replaced or deleted is kept, as `formatPolicy` writes it; undefined: as the mode has it. */
  readonly versions: string | undefined
  readonly madeAtMs: number
}

export interface SyncRules {
  list(device?: DeviceId): readonly SyncRule[]
  /** Made again for a folder, as the last time. @throws {SpacedriveError} MISSING, TOO_MANY */
  set(rule: Omit<SyncRule, 'madeAtMs'>): Promise<void>
  /** What was accepted by it stays accepted. @returns whether there was one for exactly this folder */
  remove(device: DeviceId, path: AbsPath): Promise<boolean>
  /** All of a device. */
  forget(device: DeviceId): Promise<void>
  /** Whether a rule takes a request, by where its folder really lies at this moment. */
  judge(sync: ServedSync): Promise<Verdict>
}

/** `path`: where it really lies. `why`: in words, where there is a rule at all. */
export type Verdict =
  | { readonly take: true; readonly rule: SyncRule; readonly path: AbsPath }
  | { readonly take: false; readonly why: string | undefined }

/** A rule, with what its folder was known by when it was made. */
interface KnownRule extends SyncRule {
  readonly inode: string
  readonly birthNs: string
}

/** @param db - the instance database */
export function syncRules(db: Database, clock: Clock): SyncRules {
  const list = (device?: DeviceId): KnownRule[] =>
    db
      .all<RawRule>('SELECT * FROM sync_rules ORDER BY device, path')
      .filter(raw => device === undefined || raw.device === device)
      .map(ruleOf)
  return {
    list,
    async set({ device, path, modes, access, versions = null }) {
      const { inode, birthNs } = await identityOf(path)
      await db.write(ruleWrites.set, {
        ...{ device, path: pathBytes(path), inode, birth: birthNs, modes: JSON.stringify(modes), access, versions },
        made_at: clock.nowMs()
      })
    },
    remove: (device, path) => db.write(ruleWrites.remove, { device, path: pathBytes(path) }),
    forget: device => db.write(ruleWrites.forget, { device }),
    judge: sync => judge(list(sync.device), sync)
  }
}

async function judge(rules: readonly KnownRule[], sync: ServedSync): Promise<Verdict> {
  if (rules.length === 0) return { take: false, why: undefined }
  const ask = (why: string): Verdict => ({ take: false, why })
  const at = await whereIs(sync.askedPath)
  if (at === undefined) return ask('neither its folder nor the one that would hold it is there')
  if (at.path.split('/').some(name => name === AREA_NAME || isTempName(name))) return ask('it belongs to spacedrive')
  // The nearest one alone: a narrower rule beneath a wide one means to be narrower.
  const [rule] = rules.filter(r => isWithin(at.path, r.path)).sort((a, b) => b.path.length - a.path.length)
  if (rule === undefined) return ask('no rule is for that folder')
  const shown = displayPath(rule.path)
  const folder = await identityOf(rule.path).catch(() => undefined)
  if (folder === undefined) return ask(`${shown}, which the rule is for, is not there`)
  if (folder.inode !== rule.inode || folder.birthNs !== rule.birthNs)
    return ask(`${shown} is another folder than the one the rule was made for`)
  if (!rule.modes.includes(sync.mode)) return ask(`the rule for ${shown} is not for the mode ${sync.mode}`)
  if (isWritten(sync)) {
    if (rule.access === 'read') return ask(`by the rule for ${shown} it may only read`)
  } else if (!at.exists) return ask('there is no such folder to read')
  return { take: true, rule, path: at.path }
}

/** Where a folder really lies, or would be made: no link in its path leads anywhere unseen. */
async function whereIs(path: string): Promise<{ readonly path: AbsPath; readonly exists: boolean } | undefined> {
  try {
    return { path: await realPathOf(path), exists: true }
  } catch (err) {
    if (errorCode(err) !== 'ENOENT') return undefined
  }
  const parent = await realPathOf(dirname(path)).catch(() => undefined)
  if (parent === undefined) return undefined
  const name = path.slice(path.lastIndexOf('/') + 1)
  return { path: `${parent === '/' ? '' : parent}/${name}` as AbsPath, exists: false }
}

const realPathOf = async (path: string): Promise<AbsPath> =>
  textFromBytes(await realpath(fsPath(path), { encoding: 'buffer' })) as AbsPath

/** @throws {SpacedriveError} MISSING: it is not there, or no folder */
async function identityOf(path: AbsPath): Promise<{ readonly inode: string; readonly birthNs: string }> {
  const found = await stat(fsPath(path), { bigint: true }).catch(() => undefined)
  if (found?.isDirectory() !== true)
    throw new SpacedriveError('MISSING', `could not make a rule for ${displayPath(path)}: it is no folder`)
  return { inode: String(found.ino), birthNs: String(found.birthtimeNs) }
}

const ruleOf = ({ device, path, inode, birth, modes, access, versions, made_at }: RawRule): KnownRule => ({
  ...{ device, path: textFromBytes(path) as AbsPath, inode, birthNs: birth, access },
  ...{ modes: JSON.parse(modes) as Mode[], versions: versions ?? undefined, madeAtMs: made_at }
})
