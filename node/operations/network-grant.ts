import { z } from 'zod'
import { type AbsPath, displayPath, SpacedriveError } from '../../storage/base/index.js'
import { formatTime } from './format.js'
import { folderToLet, realFolder } from './granted-folder.js'
import { defineOperation } from './operation.js'
import { resolveTyped } from './typed-path.js'

const device = z.string().min(1).max(512)
const path = z.string().startsWith('/', 'expected an absolute path')
const DEVICE_ARGUMENT = ['<device>', 'id, first 8 letters or more of it, or name'] as const

export const networkGrant = defineOperation({
  name: 'network.grant',
  summary: 'Let a paired device reach a folder of this one',
  input: z.strictObject({ device, path, access: z.enum(['read', 'write']) }),
  async run({ peer }, { device: wanted, path, access }) {
    const { id, name } = peer.devices.resolve(wanted)
    if (!peer.devices.isPaired(id)) throw new SpacedriveError('NOT_PAIRED', `${name} is not paired with this device`)
    const folder = await folderToLet(peer, path, 'grant')
    await peer.grants.add(id, folder, access)
    return { device: id, name, path: displayPath(folder), access }
  },
  command: {
    path: 'network grant',
    arguments: [[...DEVICE_ARGUMENT], ['<dir>', 'the folder, with all below it']],
    options: [
      ['--read', 'it may be looked at and read'],
      ['--write', 'it may be changed as well']
    ],
    examples: ['spacedrive network grant laptop ~/Photos --read', 'spacedrive network grant nas /srv/backup --write'],
    input({ arguments: [to, dir], options }, { cwd }) {
      const { read = false, write = false } = options as { read?: boolean; write?: boolean }
      if (read === write) throw new SpacedriveError('USAGE', 'expected either --read or --write')
      return {
        device: to as string,
        path: resolveTyped(cwd, dir as string),
        access: write ? ('write' as const) : ('read' as const)
      }
    },
    render({ name, path, access }, terminal) {
      terminal.line(`${name} may ${access === 'write' ? 'read and change' : 'read'} what is in ${path}.`)
    }
  }
})

export const networkUngrant = defineOperation({
  name: 'network.ungrant',
  summary: 'Take back what a device may reach',
  input: z.strictObject({ device, path }),
  async run({ peer }, { device: wanted, path }) {
    const { id, name } = peer.devices.resolve(wanted)
    const folder = await realFolder(path, 'take back').catch(() => path as AbsPath) // a folder that is gone has its grant still
    if (!(await peer.grants.remove(id, folder))) {
      throw new SpacedriveError('NOT_FOUND', `${name} has no grant for ${displayPath(folder)}`, {
        hint: '`network grants` lists those there are.'
      })
    }
    await peer.replicas.cut(id)
    return { device: id, name, path: displayPath(folder) }
  },
  command: {
    path: 'network ungrant',
    arguments: [[...DEVICE_ARGUMENT], ['<dir>', 'the folder that was granted']],
    examples: ['spacedrive network ungrant laptop ~/Photos'],
    input: ({ arguments: [from, dir] }, { cwd }) => ({
      device: from as string,
      path: resolveTyped(cwd, dir as string)
    }),
    render: ({ name, path }, terminal) => terminal.line(`${name} has no grant for ${path} any more.`)
  }
})

export const networkGrants = defineOperation({
  name: 'network.grants',
  summary: 'Which folders other devices may reach',
  input: z.strictObject({ device: device.optional() }),
  async run({ peer }, { device: wanted }) {
    const of = wanted === undefined ? undefined : peer.devices.resolve(wanted).id
    return {
      grants: peer.grants.list(of).map(grant => ({
        ...{ device: grant.device, name: peer.devices.nameOf(grant.device), path: displayPath(grant.path) },
        ...{ access: grant.access, madeBy: grant.madeBy, madeAt: grant.madeAtMs }
      }))
    }
  },
  command: {
    path: 'network grants',
    arguments: [['[device]', 'only those of this one']],
    examples: ['spacedrive network grants', 'spacedrive network grants laptop --json'],
    input: ({ arguments: [of] }) => (of === undefined ? {} : { device: of as string }),
    render({ grants }, terminal) {
      if (grants.length === 0)
        terminal.line('No device may reach a folder of this one. `network grant` lets one do so.')
      else
        terminal.table(
          grants.map(g => ({ DEVICE: g.name, ACCESS: g.access, SINCE: formatTime(g.madeAt), FOLDER: g.path }))
        )
    }
  }
})
