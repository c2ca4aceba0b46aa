import { resolve } from 'node:path'
import { z } from 'zod'
import { type AbsPath, displayPath, SpacedriveError } from '../../storage/base/index.js'
import type { ServedSync } from '../../sync/serving/index.js'
import type { Peer } from '../compose.js'
import { formatTime } from './format.js'
import { defineOperation } from './operation.js'
import { servedSync, servedView } from './sync-named.js'

const id = z.number().int().min(1)
const ID_ARGUMENT = ['<id>', 'the number that `sync requests` shows'] as const

export const syncRequests = defineOperation({
  name: 'sync.requests',
  summary: 'Syncs with a folder of this device that other devices ask for',
  input: z.strictObject({}),
  async run({ peer }) {
    const asked = peer.served.list().filter(s => s.folder === undefined)
    return { requests: asked.map(s => servedView(peer, s)) }
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
      }
      terminal.line(
        '`spacedrive sync accept ID` takes part (`--to DIR`: in another folder), `sync decline ID` does not.'
      )
    }
  }
})

export const syncAccept = defineOperation({
  name: 'sync.accept',
  summary: 'Take part in a sync that another device asked for',
  input: z.strictObject({ id, to: z.string().startsWith('/').optional() }),
  async run({ peer, signal }, { id: wanted, to }) {
    const sync = asked(peer, wanted)
    const accepted = await peer.agreements.accept(sync, (to ?? sync.askedPath) as AbsPath, { signal })
    return servedView(peer, accepted)
  },
  command: {
    path: 'sync accept',
    arguments: [ID_ARGUMENT],
    options: [['--to <dir>', 'this folder instead of the one asked for; made when its parent exists']],
    examples: ['spacedrive sync accept 1', 'spacedrive sync accept 1 --to /srv/backup/photos'],
    input: ({ arguments: [wanted], options: o }, { cwd }) => ({
      id: Number(wanted),
      ...(typeof o.to === 'string' && { to: resolve(cwd, o.to) })
    }),
    render({ deviceName, here, changes, name }, terminal) {
      const what = changes ? 'reads and changes' : 'reads'
      terminal.line(`${deviceName} ${what} ${here} from now on, for ${name} alone. \`sync remove ${name}\` ends it.`)
      if (changes) terminal.line('What it replaces or deletes is kept in the versions there.')
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
    input: ({ arguments: [wanted] }) => ({ id: Number(wanted) }),
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
    }
  }
})

/** @throws {SpacedriveError} NOT_FOUND */
function asked(peer: Peer, wanted: number): ServedSync {
  const found = peer.served.get(wanted)
  if (found !== undefined && found.folder === undefined) return found
  throw new SpacedriveError('NOT_FOUND', `no sync is asked for with the number ${wanted}`, {
    hint: '`sync requests` shows those there are.'
  })
}
