import { z } from 'zod'
import { type AbsPath, SpacedriveError, typed } from '../../storage/base/index.js'
import { MAX_DELETE_PERCENT, MODES, POLICIES } from '../../sync/reconcile/index.js'
import type { FarFolder } from '../../sync/session/index.js'
import type { Peer } from '../compose.js'
import { asTyped } from './as-typed.js'
import { isNamedPath, namedPath, typedPath } from './device-path.js'
import { defineOperation } from './operation.js'
import { shownEnd } from './sync-named.js'

const MAX_PATTERNS = 1_000
const end = z.string().refine(isNamedPath, { message: 'expected an absolute path, or DEVICE:/path' })

/** @throws what a device that is not known throws; NOT_PAIRED */
function placeOf(peer: Peer, named: string): AbsPath | FarFolder {
  const { device, path } = namedPath(named)
  if (device === undefined) return path as AbsPath
  const { id, name } = peer.devices.resolve(device)
  if (!peer.devices.isPaired(id)) throw new SpacedriveError('NOT_PAIRED', `${name} is not paired with this device`)
  return { device: id, path: path as AbsPath }
}

export const syncAdd = defineOperation({
  name: 'sync.add',
  summary: 'Keep a folder in step with another one, on this device or a paired one',
  input: z.strictObject({
    name: z.string().max(200),
    /** A folder of this device, or `DEVICE:/path`. */
    source: end,
    destination: end,
    mode: z.enum(['replica', 'mirror', 'backup', 'bidirectional']),
    conflict: z.enum(['keep-both', 'newer', 'larger', 'source', 'destination', 'prompt']).default('keep-both'),
    ignore: z.array(z.string().min(1).max(4096)).max(MAX_PATTERNS).default([]),
    maxDelete: z.number().int().min(1).max(100).default(MAX_DELETE_PERCENT),
    /** How long versions are kept. */
    versions: z.string().max(64).optional(),
    /** Only `sync run` runs it. */
    manual: z.boolean().default(false)
  }),
  async run({ peer, signal }, { name, source, destination, mode, conflict, ignore, maxDelete, manual, versions }) {
    const kept = versions === undefined ? undefined : peer.history.policy(versions)
    const sync = await peer.syncs.add(
      {
        ...{ name, mode, policy: conflict, ignore, maxDeletePercent: maxDelete, manual, versions: kept },
        ...{ source: placeOf(peer, source), destination: placeOf(peer, destination) }
      },
      { signal }
    )
    const device = sync.source.device ?? sync.destination.device
    return {
      ...{ sync: sync.name, manual, source: shownEnd(peer, sync.source) },
      destination: shownEnd(peer, sync.destination),
      /** The device that has to accept it first. */
      asked: device === null ? null : peer.devices.nameOf(device)
    }
  },
  command: {
    path: 'sync add',
    arguments: [
      ['<name>', 'what to call it'],
      ['<source>', 'a folder, or DEVICE:/path on a paired device'],
      ['<destination>', 'another one; made when its parent exists. One of the two lies on this device']
    ],
    options: [
      ['--mode <mode>', `${MODES.join(', ')}`],
      ['--conflict <policy>', `of two edits: ${POLICIES.join(', ')}; keep-both unless told`],
      ['--ignore <pattern...>', 'what to leave alone at both ends, in the manner of .gitignore'],
      [
        '--max-delete <percent>',
        `halt before more than this share of the files would go; ${MAX_DELETE_PERCENT} unless told`
      ],
      [
        '--versions <policy>',
        'how long what is replaced or deleted is kept: trashcan[:DAYS] (30), simple[:N], staggered (a backup)'
      ],
      ['--manual', 'only `sync run` runs it; else it runs by itself, on each change']
    ],
    examples: [
      'spacedrive sync add photos ~/Photos /media/disk/Photos --mode mirror',
      'spacedrive sync add backup ~/Photos nas:/srv/backup/photos --mode backup',
      'spacedrive sync add notes ~/notes ~/Documents/notes --mode bidirectional --conflict newer'
    ],
    input({ arguments: [name, source, destination], options: o }, terminal) {
      const mode = MODES.find(m => m === o.mode)
      if (mode === undefined) {
        throw new SpacedriveError('USAGE', `expected --mode ${MODES.join(' | ')}, got ${asTyped(o.mode)}`, {
          hint: 'replica copies and never deletes, mirror is an exact copy, backup keeps history, bidirectional goes both ways.'
        })
      }
      const conflict = o.conflict === undefined ? 'keep-both' : POLICIES.find(p => p === o.conflict)
      if (conflict === undefined)
        throw new SpacedriveError('USAGE', `expected --conflict ${POLICIES.join(' | ')}, got ${asTyped(o.conflict)}`)
      const percent = o.maxDelete === undefined ? undefined : Number(o.maxDelete)
      if (percent !== undefined && !(Number.isInteger(percent) && percent >= 1 && percent <= 100))
        throw new SpacedriveError('USAGE', `expected --max-delete from 1 to 100, got ${asTyped(o.maxDelete)}`, {
          hint: 'A percentage of the files at an end: 100 never halts because of deletions.'
        })
      const ignore = Array.isArray(o.ignore) ? [...o.ignore] : []
      if (ignore.some(pattern => pattern === ''))
        throw new SpacedriveError('USAGE', 'expected a pattern after --ignore, got nothing', {
          hint: "In quotes, or the shell takes it for names of files: --ignore '*.tmp'"
        })
      return {
        ...{ name: String(name), mode, conflict, ignore },
        manual: o.manual === true,
        ...{
          source: typedPath(String(source), terminal.cwd),
          destination: typedPath(String(destination), terminal.cwd)
        },
        ...(typeof o.versions === 'string' && { versions: o.versions }),
        ...(percent !== undefined && { maxDelete: percent })
      } as never
    },
    render({ sync, manual, source, destination, asked }, terminal) {
      terminal.line(`Added ${sync}: ${source} and ${destination}.`)
      if (asked !== null) terminal.line(`${asked} is asked; there \`spacedrive sync requests\` shows it.`)
      terminal.line(
        manual
          ? `\`spacedrive sync plan ${typed(sync)}\` shows what a run would do, \`spacedrive sync run ${typed(sync)}\` does it.`
          : `It runs by itself ${asked === null ? 'from now on' : 'once that is accepted'}, on each change; \`spacedrive sync status ${typed(sync)}\` shows how it stands.`
      )
    }
  }
})
