import { z } from 'zod'
import { displayPath, typed } from '../../storage/base/index.js'
import { defineOperation } from './operation.js'
import { namedSync } from './sync-named.js'

const input = z.strictObject({ name: z.string().min(1) })

export const syncPause = defineOperation({
  name: 'sync.pause',
  summary: 'Let a sync rest until it is resumed, also over a restart',
  input,
  async run({ peer }, { name }) {
    const found = namedSync(peer, name)
    if ('served' in found) {
      await peer.agreements.pause(found.served, true)
      return { sync: displayPath(found.served.name), paused: true }
    }
    await peer.syncs.pause(found.own)
    return { sync: found.own.name, paused: true }
  },
  command: {
    path: 'sync pause',
    arguments: [['<name>', 'which sync']],
    examples: ['spacedrive sync pause photos'],
    input: ({ arguments: [name] }) => ({ name: String(name) }),
    render: ({ sync }, terminal) =>
      terminal.line(
        `Paused ${sync}. \`spacedrive sync resume ${typed(sync)}\` lets it go on; \`sync run\` runs it once.`
      )
  }
})

export const syncResume = defineOperation({
  name: 'sync.resume',
  summary: 'Let a paused sync go on',
  input,
  async run({ peer }, { name }) {
    const found = namedSync(peer, name)
    if ('served' in found) {
      await peer.agreements.pause(found.served, false)
      return { sync: displayPath(found.served.name), paused: false, manual: false }
    }
    await peer.syncs.resume(found.own)
    return { sync: found.own.name, paused: false, manual: found.own.manual }
  },
  command: {
    path: 'sync resume',
    arguments: [['<name>', 'which sync']],
    examples: ['spacedrive sync resume photos'],
    input: ({ arguments: [name] }) => ({ name: String(name) }),
    render: ({ sync, manual }, terminal) =>
      terminal.line(
        manual ? `${sync} goes on: \`spacedrive sync run ${typed(sync)}\` runs it.` : `${sync} goes on by itself.`
      )
  }
})
