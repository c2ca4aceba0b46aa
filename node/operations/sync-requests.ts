import { z } from 'zod'
import { type AbsPath, displayPath, displayText, SpacedriveError, typed } from '../../storage/base/index.js'
import type { ServedSync } from '../../sync/serving/index.js'
import type { Peer } from '../compose.js'
import { asTyped } from './as-typed.js'
import { formatTime } from './format.js'
import { defineOperation } from './operation.js'
import { servedSync, servedView } from './sync-named.js'
import { resolveTyped } from './typed-path.js'

const id = z.number().int().min(1)
const ID_ARGUMENT = ['<id>', 'the number that `sync requests` shows'] as const

export const syncRequests = defineOperation({
  name: 'sync.requests',
  summary: 'Syncs with a folder of this device that other devices ask for',
  input: z.strictObject({}),
  async run({ peer }) {
    const asked = peer.served.list().filter(s => s.folder === undefined)
    return { requests: await Promise.all(asked.map(s => requestView(peer, s))) }
  },
  command: {
    path: 'sync requests',
    examples: ['spacedrive sync requests'],
    input: () => ({}),
    render({ requests }, terminal) {
      if (requests.length === 0) {
        terminal.line('No device asks for a sync.')
        return
      }
      for (const r of requests) {
        const may = r.changes ? 'reads and changes' : 'reads'
        terminal.line(`${r.id}  ${r.name}  ${r.mode}, asked ${formatTime(r.askedAt)}`)
        terminal.line(`  ${r.deviceName} ${may} ${r.here} here, its own end is ${r.there}`)
        if (r.asksBecause !== null) terminal.line(`  You are asked, since ${r.asksBecause}.`)
      }
      terminal.line(
        '`spacedrive sync accept ID` takes part (`--to DIR`: in another folder), `spacedrive sync decline ID` does not.'
      )
    }
  }
})

export const syncAccept = defineOperation({
  name: 'sync.accept',
  summary: 'Take part in a sync that another device asked for',
  input: z.strictObject({
    id,
    to: z.string().startsWith('/').optional(),
    /** How long what is replaced or deleted here is kept. */
    versions: z.string().max(64).optional(),
    /** The guard here stops what would delete more than this share of the files. */
    maxDelete: z.number().int().min(1).max(100).optional()
  }),
  async run({ peer, signal }, { id: wanted, to, versions, maxDelete }) {
    const sync = asked(peer, wanted)
    const accepted = await peer.agreements.accept(sync, (to ?? sync.askedPath) as AbsPath, {
      ...{ signal, versions: versions === undefined ? undefined : peer.history.policy(versions) },
      maxDeletePercent: maxDelete
    })
    return servedView(peer, accepted)
  },
  command: {
    path: 'sync accept',
    arguments: [ID_ARGUMENT],
    options: [
      ['--to <dir>', 'this folder instead of the one asked for; made when its parent exists'],
      [
        '--versions <policy>',
        'how long what is replaced or deleted here is kept: trashcan[:DAYS] (30), simple[:N], staggered (a backup)'
      ],
      ['--max-delete <percent>', 'stop here before more than this share of the files would go; 50 unless told']
    ],
    examples: ['spacedrive sync accept 1', 'spacedrive sync accept 1 --to /srv/backup/photos --versions trashcan:90'],
    input: ({ arguments: [wanted], options: o }, { cwd }) => ({
      id: typedId(wanted),
      ...(typeof o.to === 'string' && { to: resolveTyped(cwd, o.to) }),
      ...(typeof o.versions === 'string' && { versions: o.versions }),
      ...(o.maxDelete !== undefined && { maxDelete: percentOf(o.maxDelete) })
    }),
    render({ deviceName, here, changes, name, versions }, terminal) {
      const what = changes ? 'reads and changes' : 'reads'
      terminal.line(
        `${deviceName} ${what} ${here} from now on, for ${name} alone. \`sync remove ${typed(name)}\` ends it.`
      )
      const long = versions === null ? '' : ` (${versions})`
      if (changes) terminal.line(`What it replaces or deletes is kept as versions on this device${long}.`)
    }
  }
})

export const syncDecline = defineOperation({
  name: 'sync.decline',
  summary: 'Take no part in a sync that another device asked for',
  input: z.strictObject({ id }),
  async run({ peer }, { id: wanted }) {
    const sync = asked(peer, wanted)
    await peer.agreements.leave(sync)
    return { id: wanted, name: displayPath(sync.name), deviceName: peer.devices.nameOf(sync.device) }
  },
  command: {
    path: 'sync decline',
    arguments: [ID_ARGUMENT],
    examples: ['spacedrive sync decline 1'],
    input: ({ arguments: [wanted] }) => ({ id: typedId(wanted) }),
    render: ({ name, deviceName }, terminal) => terminal.line(`Declined ${name}; ${deviceName} is told.`)
  }
})

export const syncAllow = defineOperation({
  name: 'sync.allow',
  summary: 'Say yes to what a guard of this device stopped in a sync that another one drives',
  input: z.strictObject({ name: z.string().min(1) }),
  async run({ peer }, { name }) {
    const sync = servedSync(peer, name)
    const { removed, replaced } = sync.halted ?? { removed: 0, replaced: 0 }
    await peer.served.allow(sync)
    return { name: displayPath(sync.name), deviceName: peer.devices.nameOf(sync.device), removed, replaced }
  },
  command: {
    path: 'sync allow',
    arguments: [['<name>', 'which sync']],
    examples: ['spacedrive sync allow photos'],
    input: ({ arguments: [name] }) => ({ name: String(name) }),
    render({ name, deviceName, removed, replaced }, terminal) {
      const what = `${removed.toLocaleString('en')} deletions and ${replaced.toLocaleString('en')} replacements`
      terminal.line(`${deviceName} may do ${what} here when ${name} runs next; all of it is kept in the versions.`)
      terminal.note(
        `On ${deviceName}: \`spacedrive sync run ${typed(name)}\`, with --force where it was stopped there, too.`
      )
    }
  }
})

/** With why a rule does not take it, where there is one. */
async function requestView(peer: Peer, sync: ServedSync) {
  const verdict = await peer.syncRules.judge(sync)
  const because = verdict.take ? 'the rule for it was made after it, or it could not be accepted' : verdict.why
  return { ...servedView(peer, sync), asksBecause: because ?? null }
}

/** @throws {SpacedriveError} USAGE */
function typedId(wanted: unknown): number {
  const text = String(wanted)
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new SpacedriveError('USAGE', `expected the number of a sync that is asked for, got "${displayText(text)}"`, {
    hint: '`spacedrive sync requests` shows them.'
  })
}

function percentOf(text: unknown): number {
  const percent = Number(text)
  if (Number.isInteger(percent) && percent >= 1 && percent <= 100) return percent
  throw new SpacedriveError('USAGE', `expected --max-delete from 1 to 100, got ${asTyped(text)}`, {
    hint: 'A percentage of the files here: 100 never stops because of deletions.'
  })
}

/** @throws {SpacedriveError} NOT_FOUND */
function asked(peer: Peer, wanted: number): ServedSync {
  const found = peer.served.get(wanted)
  if (found !== undefined && found.folder === undefined) return found
  throw new SpacedriveError('NOT_FOUND', `no sync is asked for with the number ${wanted}`, {
    hint: '`sync requests` shows those there are.'
  })
}
