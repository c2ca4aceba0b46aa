import { z } from 'zod'
import { displayPath } from '../../storage/base/index.js'
import type { Peer } from '../compose.js'
import { VERSION } from '../version.js'
import { formatDuration } from './format.js'
import { defineOperation } from './operation.js'

export const systemStatus = defineOperation({
  name: 'system.status',
  summary: 'What the daemon is and what it does',
  input: z.strictObject({}),
  async run({ peer }) {
    const network = peer.network.status()
    return {
      running: true,
      pid: process.pid,
      version: VERSION,
      uptimeMs: peer.clock.nowMs() - peer.host.startedAtMs,
      dataDir: displayPath(peer.dataDir),
      ready: await isReady(peer),
      network: { enabled: peer.config.network.enabled, state: network.state, notes: network.notes },
      device: { id: network.device, name: network.name },
      devices: {
        paired: peer.devices.list().filter(device => device.state === 'paired').length,
        connected: new Set(network.connections.map(connection => connection.device)).size
      },
      work: {
        jobs: peer.jobs.list({ states: ['running', 'queued'] }).map(({ id, kind, title, state }) => ({
          id,
          kind,
          title,
          state
        })),
        transfers: peer.transfers.list().filter(transfer => transfer.state === 'active').length
      },
      eventLoopMs: peer.host.loopDelay() ?? null,
      memoryBytes: process.memoryUsage.rss()
    }
  },
  command: {
    path: 'status',
    aliases: ['daemon status'],
    examples: ['spacedrive status', 'spacedrive --instance alice status --json'],
    input: () => ({}),
    render(status, terminal) {
      terminal.line(`Running for ${formatDuration(status.uptimeMs)}, version ${status.version}, process ${status.pid}`)
      terminal.line(`Data        ${status.dataDir}`)
      if (!status.ready) terminal.line(`Starting    ${terminal.color('yellow', 'not everything has started yet')}`)
      terminal.line(`Device      ${status.device.name}${status.device.id === null ? '' : `  ${status.device.id}`}`)
      terminal.line(`Networking  ${status.network.state}`)
      for (const note of status.network.notes) terminal.line(`            ${terminal.color('yellow', note)}`)
      terminal.line(`Devices     ${status.devices.paired} paired, ${status.devices.connected} connected`)
      terminal.line(`Work        ${status.work.jobs.length} jobs, ${status.work.transfers} transfers`)
      for (const job of status.work.jobs) terminal.line(`            ${job.state.padEnd(8)} ${job.title}`)
      if (status.eventLoopMs !== null) {
        terminal.line(`Event loop  ${status.eventLoopMs.p999} ms late at the 99.9th percentile`)
      }
    }
  }
})

/** Whether the local parts have started; asked without waiting for it. */
async function isReady(peer: Peer): Promise<boolean> {
  const soon = new Promise<boolean>(resolve => setImmediate(resolve, false))
  return await Promise.race([peer.ready.then(() => true), soon]).catch(() => false)
}
