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
    return {
      running: true,
      pid: process.pid,
      version: VERSION,
      uptimeMs: peer.clock.nowMs() - peer.host.startedAtMs,
      dataDir: displayPath(peer.dataDir),
      ready: peer.stage !== 'ground',
      ...whatIsThere(peer),
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

/** Asked while the daemon is still starting, too: in parts that are not there yet nothing goes on. */
function whatIsThere(peer: Peer) {
  const local = peer.stage === 'ground' ? undefined : peer
  const remote = peer.stage === 'whole' ? peer : undefined
  const { enabled } = peer.config.network
  const network = remote?.network.status()
  return {
    network: { enabled, state: network?.state ?? (enabled ? 'starting' : 'off'), notes: network?.notes ?? [] },
    device: { id: local?.identity.device ?? null, name: local?.self.name ?? '' },
    devices: {
      paired: local?.devices.list().filter(device => device.state === 'paired').length ?? 0,
      connected: new Set(network?.connections.map(connection => connection.device)).size
    },
    work: {
      jobs: (local?.jobs.list({ states: ['running', 'queued'] }) ?? []).map(({ id, kind, title, state }) => ({
        id,
        kind,
        title,
        state
      })),
      transfers: remote?.transfers.list().filter(transfer => transfer.state === 'active').length ?? 0
    }
  }
}
