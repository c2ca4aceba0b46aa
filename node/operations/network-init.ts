import { basename } from 'node:path'
import { z } from 'zod'
import { type AbsPath, SpacedriveError } from '../../storage/base/index.js'
import type { DeviceRegistry, LocalDevice } from '../devices/index.js'
import type { IdentityStore } from '../identity/index.js'
import { defineOperation } from './operation.js'
import { passwordOptions, typedPassword } from './password-option.js'

const input = z.strictObject({
  name: z.string().max(512).optional(),
  /** Seals the key. */
  password: z.string().max(1024).optional(),
  newIdentity: z.boolean().optional(),
  /** The person has been told what a new identity loses. */
  confirmed: z.boolean().optional()
})

interface Parts {
  readonly identity: IdentityStore
  readonly devices: DeviceRegistry
  readonly self: LocalDevice
  /** Which identity the database belongs to. */
  claim(device: string): Promise<void>
  /** The one it belongs to now. */
  readonly claimed: string | undefined
}

async function initialise(parts: Parts, { name, password, newIdentity, confirmed }: z.output<typeof input>) {
  const { identity, devices, self } = parts
  if (name !== undefined) await self.rename(name)
  const before = identity.device ?? parts.claimed
  let made = false
  if (newIdentity === true && (before !== undefined || identity.error !== undefined)) {
    const lost = devices.list().filter(d => d.state === 'paired' || d.state === 'unconfirmed')
    if (confirmed !== true) {
      const names = lost.map(d => d.name)
      throw new SpacedriveError(
        'CONFIRMATION_NEEDED',
        `a new identity makes this another device: ${
          lost.length === 0
            ? 'no device is paired'
            : `${lost.length} paired: ${names.join(', ')}; each must be paired again`
        }`,
        { hint: 'Say so with --yes. The old key is kept in the backups folder.', details: { devices: names } }
      )
    }
    await identity.replace({ password })
    await devices.forgetAll()
    made = true
  } else if (identity.state() === 'none') {
    if (parts.claimed !== undefined) {
      throw new SpacedriveError('IDENTITY_LOST', `the key of this device (${parts.claimed}) is not there any more`, {
        hint: 'Restore identity.key from a backup, or run `spacedrive network init --new-identity`.'
      })
    }
    await identity.create({ password })
    made = true
  } else if (password !== undefined) await identity.setPassword(password)
  else if (name === undefined) await identity.create({}) // says that there is one
  if (made) await parts.claim(identity.device!)
  return { device: identity.device!, name: self.name, made, sealed: identity.sealed }
}

export const networkInit = defineOperation({
  name: 'network.init',
  summary: 'Make the identity of this device, name it, seal its key',
  input,
  async run({ peer }, asked) {
    const { network } = peer
    const wasOn = network.state === 'on'
    const replacing = asked.newIdentity === true && asked.confirmed === true
    if (replacing && wasOn) await network.stop()
    try {
      const { deviceWrites } = await import('../devices/index.js')
      const done = await initialise(
        {
          identity: peer.identity,
          devices: peer.devices,
          self: peer.self,
          claimed: peer.instance.get<{ value: string }>(`SELECT value FROM meta WHERE name = 'device_id'`)?.value,
          claim: device => peer.instance.write(deviceWrites.setMeta, { name: 'device_id', value: device })
        },
        asked
      )
      if (asked.name !== undefined) network.renamed()
      return done
    } finally {
      if (replacing && wasOn) await network.start()
    }
  },
  async offline(dataDir: AbsPath, asked) {
    const [{ openInstance }, { eventBus, silentLog, systemClock, systemRandom }, devicesModule, { openIdentityStore }] =
      await Promise.all([
        import('../../storage/instance/index.js'),
        import('../../storage/base/index.js'),
        import('../devices/index.js'),
        import('../identity/index.js')
      ])
    const { VERSION } = await import('../version.js')
    const { deviceWrites, instanceNameOf, openDeviceRegistry, openLocalDevice } = devicesModule
    const instance = await openInstance(dataDir)
    try {
      const [clock, random, log] = [systemClock, systemRandom, silentLog]
      const identity = await openIdentityStore({ dataDir, clock, random })
      const devices = await openDeviceRegistry({
        database: instance,
        identity: () => identity.identity,
        clock,
        events: eventBus(),
        log
      })
      const self = await openLocalDevice({
        database: instance,
        random,
        version: VERSION,
        instance: instanceNameOf(basename(dataDir))
      })
      return await initialise(
        {
          identity,
          devices,
          self,
          claimed: instance.get<{ value: string }>(`SELECT value FROM meta WHERE name = 'device_id'`)?.value,
          claim: device => instance.write(deviceWrites.setMeta, { name: 'device_id', value: device })
        },
        asked
      )
    } finally {
      await instance.close()
    }
  },
  command: {
    path: 'network init',
    options: [
      ['--name <name>', 'what this device is called on the others'],
      ...passwordOptions('seal the key with a password, asked for on the terminal'),
      ['--new-identity', 'replace the identity; says first what is lost'],
      ['--yes', 'go on without asking']
    ],
    examples: ['spacedrive network init --name laptop', 'spacedrive network init --password'],
    async input({ options }, terminal) {
      const password = await typedPassword(options, terminal, { repeat: true })
      const newIdentity = options.newIdentity === true
      let confirmed = options.yes === true
      if (newIdentity && !confirmed && terminal.interactive) {
        terminal.note('A new identity makes this another device: every paired device must be paired again.')
        confirmed = await terminal.confirm('Go on?')
      }
      return {
        ...(typeof options.name === 'string' ? { name: options.name } : {}),
        ...(password === undefined ? {} : { password }),
        ...(newIdentity ? { newIdentity, confirmed } : {})
      }
    },
    render({ device, name, made, sealed }, terminal) {
      terminal.line(`${made ? 'This device is' : 'This device is still'} ${terminal.bold(name)}`)
      terminal.line(`Identity  ${device}${sealed ? ', sealed with a password' : ''}`)
    }
  }
})
