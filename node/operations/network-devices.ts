import { z } from 'zod'
import { displayPath, SpacedriveError } from '../../storage/base/index.js'
import { formatTime } from './format.js'
import { defineOperation } from './operation.js'

const deviceText = z.string().min(1).max(512)

export const networkDevices = defineOperation({
  name: 'network.devices',
  summary: 'Devices this one knows, and whether they are connected',
  input: z.strictObject({}),
  async run({ peer }) {
    const { PROBLEM_TEXT } = await import('../devices/index.js')
    const devices = peer.devices
      .list()
      .filter(d => d.state !== 'forgotten')
      .map(d => ({
        id: d.id,
        name: d.name,
        state: d.state,
        connected: peer.network.session(d.id) !== undefined,
        problem: d.problem === undefined ? null : PROBLEM_TEXT[d.problem],
        os: d.os,
        model: d.model,
        version: d.version ?? null,
        lastSeenAt: d.lastSeenAt ?? null,
        pairedAt: d.pairedAt
      }))
    devices.sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id))
    const { notes } = peer.network.status()
    return { devices, notes }
  },
  command: {
    path: 'network devices',
    examples: ['spacedrive network devices', 'spacedrive network devices --json'],
    input: () => ({}),
    render({ devices, notes }, terminal) {
      for (const note of notes) terminal.note(note)
      if (devices.length === 0) {
        terminal.line('No device is paired. Begin with `spacedrive network pair generate`.')
        return
      }
      terminal.table(
        devices.map(d => ({
          name: d.name,
          state: d.connected ? 'connected' : d.state,
          'last seen': d.connected ? 'now' : d.lastSeenAt === null ? '' : formatTime(d.lastSeenAt),
          system: `${d.os} ${d.version ?? ''}`.trim(),
          id: d.id,
          ...(devices.some(x => x.problem !== null) ? { problem: d.problem ?? '' } : {})
        }))
      )
    }
  }
})

export const networkRename = defineOperation({
  name: 'network.rename',
  summary: 'Give a device another name here, or this device another name everywhere',
  input: z.strictObject({ device: deviceText, name: z.string().max(512) }),
  async run({ peer }, { device, name }) {
    const { self, devices, network, identity } = peer
    const own = identity.device
    // Another device of the same name goes first: this one is also meant by its id or `this`.
    const isOwn =
      device === own || device === 'this' || (device === self.name && !devices.list().some(d => d.name === device))
    if (isOwn) {
      await self.rename(name)
      network.renamed()
      return { id: own ?? null, name: self.name }
    }
    const found = devices.resolve(device)
    const renamed = await devices.rename(found.id, name === '' ? null : name)
    return { id: renamed.id as string | null, name: renamed.name }
  },
  command: {
    path: 'network rename',
    arguments: [
      ['<device>', 'id, first 8 letters or more of it, or name; `this` for this device'],
      ['<name>', 'the new name; empty for the one it calls itself']
    ],
    examples: ['spacedrive network rename laptop "Old laptop"', 'spacedrive network rename this desk'],
    input: ({ arguments: [device, name] }) => ({ device: device as string, name: name as string }),
    render: ({ name }, terminal) => terminal.line(`It is called ${terminal.bold(name)} now`)
  }
})

export const networkRevoke = defineOperation({
  name: 'network.revoke',
  summary: 'Take back all trust in a device: it is cut off at once and for good',
  input: z.strictObject({ device: deviceText }),
  async run({ peer }, { device }) {
    const found = peer.devices.resolve(device)
    if (found.state === 'revoked') {
      throw new SpacedriveError('DEVICE_REVOKED', `${found.name} was revoked already`, {
        hint: 'Only a new pairing brings it back.'
      })
    }
    const ended = [
      ...peer.syncs.list().filter(s => s.source.device === found.id || s.destination.device === found.id),
      ...peer.served.list().filter(s => s.device === found.id && s.folder !== undefined)
    ].map(s => displayPath(s.name))
    await peer.devices.revoke(found.id)
    const others = peer.devices
      .list()
      .filter(d => d.state === 'paired')
      .map(d => d.name)
    return { id: found.id, name: found.name, notTold: others, syncs: ended }
  },
  command: {
    path: 'network revoke',
    arguments: [['<device>', 'id, first 8 letters or more of it, or name']],
    examples: ['spacedrive network revoke laptop'],
    input: ({ arguments: [device] }) => ({ device: device as string }),
    render({ name, notTold, syncs }, terminal) {
      terminal.line(`${terminal.bold(name)} is revoked: cut off, and refused from now on.`)
      if (syncs.length > 0)
        terminal.note(`Syncs with it have ended, files and versions are where they were: ${syncs.join(', ')}.`)
      if (notTold.length > 0) {
        terminal.note(`Your other devices are not told: revoke it there too (${notTold.join(', ')}).`)
      }
    }
  }
})
