import { z } from 'zod'
import { displayPath } from '../../storage/base/index.js'
import { formatTime } from './format.js'
import { defineOperation } from './operation.js'

export const syncList = defineOperation({
  name: 'sync.list',
  summary: 'The syncs of this device, and how their last run ended',
  input: z.strictObject({}),
  async run({ peer }) {
    return {
      syncs: peer.syncs.list().map(sync => {
        const last = peer.syncs.lastRun(sync)
        return {
          ...{ name: sync.name, mode: sync.mode, conflict: sync.policy, ignore: sync.ignore },
          ...{ source: displayPath(sync.source.path), destination: displayPath(sync.destination.path) },
          ...{ state: last?.state ?? 'new', lastRunAt: last?.endedAtMs ?? null }
        }
      })
    }
  },
  command: {
    path: 'sync list',
    aliases: ['sync status'],
    examples: ['spacedrive sync list'],
    input: () => ({}),
    render({ syncs }, terminal) {
      if (syncs.length === 0)
        terminal.line('No syncs. `spacedrive sync add NAME SOURCE DESTINATION --mode mirror` makes one.')
      for (const s of syncs) {
        const when = s.lastRunAt === null ? 'never run' : `${s.state}, ${formatTime(s.lastRunAt)}`
        terminal.line(`${s.name}  ${s.mode}  ${s.source} -> ${s.destination}  ${when}`)
        if (s.state === 'halted') terminal.line(`  a guard stopped it: \`spacedrive sync run ${s.name}\` says why`)
      }
    }
  }
})

export const syncRemove = defineOperation({
  name: 'sync.remove',
  summary: 'Forget a sync; files and versions stay',
  input: z.strictObject({ name: z.string().min(1) }),
  async run({ peer }, { name }) {
    const sync = peer.syncs.find(name)
    await peer.syncs.remove(sync)
    return { sync: sync.name }
  },
  command: {
    path: 'sync remove',
    arguments: [['<name>', 'which sync']],
    examples: ['spacedrive sync remove photos'],
    input: ({ arguments: [name] }) => ({ name: String(name) }),
    render: ({ sync }, terminal) => terminal.line(`Removed ${sync}. Its files and versions are where they were.`)
  }
})
