import { z } from 'zod'
import type { AnyEvent } from '../../storage/base/index.js'
import type { JobSummary } from '../../storage/jobs/index.js'
import type { Peer } from '../compose.js'
import { changes } from './changes.js'
import { eventLine } from './event-line.js'
import { liveLine } from './job-text.js'
import { defineOperation } from './operation.js'
import { colorOf, type SyncView } from './sync-view.js'

/** Everything at a glance, each time something changed. */
export interface MonitorView {
  device: string
  network: string
  devices: readonly { name: string; state: string; rttMs: number | null }[]
  jobs: readonly JobSummary[]
  syncs: readonly Pick<SyncView, 'name' | 'state' | 'text' | 'advice'>[]
  events: readonly AnyEvent[]
}

const MIN_INTERVAL_MS = 200
/** Shown below; older ones have scrolled away. */
const EVENTS_SHOWN = 12

export const monitor = defineOperation({
  name: 'monitor',
  summary: 'Jobs, devices and events on one screen, live',
  input: z.strictObject({}),
  async run({ peer, signal, emit }): Promise<Record<string, never>> {
    let recent: AnyEvent[] = []
    const note = (event: AnyEvent): boolean => {
      // Progress shows in the lines of the jobs, how a sync stands in its own.
      if (!event.type.endsWith(':progress') && event.type !== 'sync:changed')
        recent = withEvent(recent, event).slice(-EVENTS_SHOWN)
      return true
    }
    for await (const _ of changes(peer, { signal, intervalMs: MIN_INTERVAL_MS, note })) emit(viewOf(peer, recent))
    return {}
  },
  command: {
    path: 'monitor',
    examples: ['spacedrive monitor', 'spacedrive monitor --json'],
    input: () => ({}),
    progress(now: MonitorView, terminal) {
      const devices = now.devices.map(d => {
        const rtt = d.rttMs === null ? '' : ` ${d.rttMs.toFixed(0)} ms`
        return d.state === 'connected' ? terminal.color('green', `${d.name}${rtt}`) : terminal.dim(`${d.name} away`)
      })
      terminal.block([
        `${terminal.bold(now.device)}  networking ${now.network}  ${devices.length === 0 ? 'no device is paired' : devices.join('  ')}`,
        '',
        ...(now.jobs.length === 0 ? [terminal.dim('no jobs at work')] : now.jobs.map(j => liveLine(j, terminal))),
        '',
        ...now.syncs.map(s => `${terminal.bold(s.name)}  ${terminal.color(colorOf(s.state), s.text)}`),
        ...(now.syncs.length === 0 ? [] : ['']),
        ...(now.events.length === 0 ? [terminal.dim('no events yet; Ctrl-C ends this')] : now.events.map(eventLine))
      ])
    },
    render() {}
  }
})

function viewOf(peer: Peer, events: readonly AnyEvent[]): MonitorView {
  const status = peer.network.status()
  const devices = peer.devices.list().filter(d => d.state === 'paired' || d.state === 'unconfirmed')
  return {
    device: status.name,
    network: status.state,
    devices: devices.map(({ id, name }) => {
      const connection = status.connections.find(c => c.device === id)
      return { name, state: connection === undefined ? 'away' : 'connected', rttMs: connection?.rttMs ?? null }
    }),
    syncs: peer.syncs.list().map(sync => {
      const { state, text, advice } = peer.syncs.status(sync)
      return { name: sync.name, state, text, advice: advice ?? null }
    }),
    jobs: peer.jobs.list({ states: ['running', 'queued', 'paused'] }),
    events
  }
}

/** Changes of one index that come one upon the other are one line. */
function withEvent(events: readonly AnyEvent[], event: AnyEvent): AnyEvent[] {
  const last = events.at(-1)
  if (event.type !== 'index:changed' || last?.type !== 'index:changed' || last.location !== event.location) {
    return [...events, event]
  }
  return [...events.slice(0, -1), { ...event, changes: last.changes + event.changes }]
}
