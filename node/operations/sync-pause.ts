import { z } from 'zod'
import { displayPath, typed } from '../../storage/base/index.js'
import type { ServedSync } from '../../sync/serving/index.js'
import type { Peer } from '../compose.js'
import { defineOperation } from './operation.js'
import { namedSync } from './sync-named.js'

const input = z.strictObject({ name: z.string().min(1) })

const driver = (peer: Peer, { device }: ServedSync): string | null => peer.devices.nameOf(device)

export const syncPause = defineOperation({
  name: 'sync.pause',
  summary: 'Let a sync rest until it is resumed, also over a restart',
  input,
  async run({ peer }, { name }) {
    const found = namedSync(peer, name)
    if ('served' in found) {
      await peer.agreements.pause(found.served, true)
      return { sync: displayPath(found.served.name), paused: true, drivenBy: driver(peer, found.served) }
    }
    await peer.syncs.pause(found.own)
    return { sync: found.own.name, paused: true, drivenBy: null }
  },
  command: {
    path: 'sync pause',
    arguments: [['<name>', 'which sync']],
    examples: ['spacedrive sync pause photos'],
    input: ({ arguments: [name] }) => ({ name: String(name) }),
    render({ sync, drivenBy }, terminal) {
      const resume = `\`spacedrive sync resume ${typed(sync)}\``
      terminal.line(
        drivenBy === null
          ? `Paused ${sync}. ${resume} lets it go on; \`sync run\` runs it once.`
          : `Paused ${sync} on this device: ${drivenBy} waits until ${resume} here.`
      )
    }
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
      const drivenBy = driver(peer, found.served)
      return { sync: displayPath(found.served.name), paused: false, manual: false, drivenBy }
    }
    await peer.syncs.resume(found.own)
    return { sync: found.own.name, paused: false, manual: found.own.manual, drivenBy: null }
  },
  command: {
    path: 'sync resume',
    arguments: [['<name>', 'which sync']],
    examples: ['spacedrive sync resume photos'],
    input: ({ arguments: [name] }) => ({ name: String(name) }),
    render({ sync, manual, drivenBy }, terminal) {
      // Whether it rests there as well is not known here.
      if (drivenBy !== null) terminal.line(`This device takes part in ${sync} again, as ${drivenBy} drives it.`)
      else if (manual) terminal.line(`${sync} goes on: \`spacedrive sync run ${typed(sync)}\` runs it.`)
      else terminal.line(`${sync} goes on by itself.`)
    }
  }
})
