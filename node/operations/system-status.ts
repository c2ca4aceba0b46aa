import { z } from 'zod'
import { displayPath } from '../../storage/base/index.js'
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
      network: { enabled: peer.config.network.enabled },
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
      terminal.line(
        `Running since ${formatDuration(status.uptimeMs)}, version ${status.version}, process ${status.pid}`
      )
      terminal.line(`Data        ${status.dataDir}`)
      terminal.line(`Networking  ${status.network.enabled ? 'on' : 'off'}`)
      if (status.eventLoopMs !== null) {
        terminal.line(`Event loop  ${status.eventLoopMs.p999} ms late at the 99.9th percentile`)
      }
    }
  }
})
