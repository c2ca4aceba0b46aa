import { z } from 'zod'
import { networkReady } from './network-ready.js'
import { defineOperation } from './operation.js'

export const networkStatus = defineOperation({
  name: 'network.status',
  summary: 'Addresses, connections, discovered peers, and what is off and why',
  input: z.strictObject({}),
  async run(context) {
    await networkReady(context).catch(() => {}) // why it is not on is part of the answer
    return context.peer.network.status()
  },
  command: {
    path: 'network status',
    examples: ['spacedrive network status', 'spacedrive network status --json'],
    input: () => ({}),
    render(status, terminal) {
      terminal.line(`${terminal.bold(status.name)}  ${status.device ?? 'no identity yet'}`)
      terminal.line(`Networking  ${status.state}`)
      for (const note of status.notes) terminal.line(`            ${terminal.color('yellow', note)}`)
      const list = (title: string, lines: readonly string[]): void => {
        for (const [i, line] of lines.entries()) terminal.line(`${(i === 0 ? title : '').padEnd(12)}${line}`)
      }
      list('Listening', status.listening)
      list(
        'Reachable',
        status.reachable.filter(a => !status.listening.includes(a))
      )
      list(
        'Connected',
        status.connections.map(
          c => `${c.name}  ${c.address}  ${c.direction}${c.rttMs === null ? '' : `  ${c.rttMs.toFixed(1)} ms`}`
        )
      )
      list(
        'Discovered',
        status.discovered.map(d => `${d.name ?? d.device}  ${d.addresses.join(' ')}  (${d.via})`)
      )
      if (status.dht !== null) {
        list('DHT', [
          `${status.dht.peers} peers${status.dht.serving ? ', serving others' : ''}`,
          ...status.dht.listening
        ])
      }
      list(
        'Off',
        status.off.map(o => `${o.what}: ${o.why}`)
      )
    }
  }
})
