import { z } from 'zod'
import { displayPath } from '../../storage/base/index.js'
import { formatTime } from './format.js'
import { defineOperation } from './operation.js'
import { namedSync, servedView } from './sync-named.js'
import { colorOf, syncView } from './sync-view.js'

export const syncList = defineOperation({
  name: 'sync.list',
  summary: 'The syncs of this device, and how they stand',
  input: z.strictObject({}),
  async run({ peer }) {
    const served = peer.served.list().map(sync => servedView(peer, sync))
    return { syncs: peer.syncs.list().map(sync => syncView(peer, sync)), served }
  },
  command: {
    path: 'sync list',
    examples: ['spacedrive sync list'],
    input: () => ({}),
    render({ syncs, served }, terminal) {
      if (syncs.length + served.length === 0)
        terminal.line('No syncs. `spacedrive sync add NAME SOURCE DESTINATION --mode mirror` makes one.')
      for (const s of syncs) {
        const arrow = s.mode === 'bidirectional' ? '<->' : '->'
        const when = s.lastRunAt === null ? '' : `, ${formatTime(s.lastRunAt)}`
        const how = s.manual ? '  manual' : ''
        const state = terminal.color(colorOf(s.state), s.state)
        terminal.line(`${s.name}  ${s.mode}  ${s.source} ${arrow} ${s.destination}  ${state}${when}${how}`)
      }
      for (const s of served) {
        const arrow = s.mode === 'bidirectional' ? '<->' : s.side === 'destination' ? '<-' : '->'
        const state = terminal.color(s.state === 'halted' ? 'red' : 'cyan', s.state)
        terminal.line(`${s.name}  ${s.mode}  ${s.here} ${arrow} ${s.there}  ${state}`)
      }
      if (syncs.some(s => s.advice !== null)) terminal.line('`spacedrive sync status` says what is the matter.')
    }
  }
})

export const syncRemove = defineOperation({
  name: 'sync.remove',
  summary: 'Forget a sync; files and versions stay',
  input: z.strictObject({ name: z.string().min(1) }),
  async run({ peer }, { name }) {
    const found = namedSync(peer, name)
    if ('served' in found) {
      await peer.agreements.leave(found.served)
      return { sync: displayPath(found.served.name) }
    }
    await peer.syncs.remove(found.own)
    return { sync: found.own.name }
  },
  command: {
    path: 'sync remove',
    arguments: [['<name>', 'which sync']],
    examples: ['spacedrive sync remove photos'],
    input: ({ arguments: [name] }) => ({ name: String(name) }),
    render: ({ sync }, terminal) => terminal.line(`Removed ${sync}. Its files and versions are where they were.`)
  }
})
