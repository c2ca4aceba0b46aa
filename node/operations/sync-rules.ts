import { z } from 'zod'
import { type AbsPath, displayPath, SpacedriveError } from '../../storage/base/index.js'
import type { Mode } from '../../sync/reconcile/index.js'
import type { SyncRule } from '../../sync/serving/index.js'
import type { Peer } from '../compose.js'
import { asTyped } from './as-typed.js'
import { formatTime } from './format.js'
import { folderToLet, realFolder } from './granted-folder.js'
import { defineOperation } from './operation.js'
import { resolveTyped } from './typed-path.js'

/** Those of sync/reconcile, written out here since the command line loads no sync; the compiler checks that none is missing. */
const MODE_NAMES: Readonly<Record<Mode, true>> = { replica: true, mirror: true, backup: true, bidirectional: true }
const MODES = Object.keys(MODE_NAMES) as [Mode, ...Mode[]]

const device = z.string().min(1).max(512)
const path = z.string().startsWith('/', 'expected an absolute path')
const DEVICE_ARGUMENT = ['<device>', 'id, first 8 letters or more of it, or name'] as const

const view = (peer: Peer, rule: SyncRule) => ({
  ...{ device: rule.device, name: peer.devices.nameOf(rule.device), path: displayPath(rule.path) },
  ...{ modes: [...rule.modes], access: rule.access, versions: rule.versions ?? null, madeAt: rule.madeAtMs }
})

export const syncRule = defineOperation({
  name: 'sync.rule',
  summary: 'Accept syncs of a paired device with folders here without being asked',
  input: z.strictObject({
    ...{ device, path, access: z.enum(['read', 'write']) },
    modes: z.array(z.enum(MODES)).min(1).max(MODES.length),
    /** How long what is replaced or deleted here is kept. */
    versions: z.string().max(64).optional()
  }),
  async run({ peer }, { device: wanted, path, access, modes, versions }) {
    const { id, name } = peer.devices.resolve(wanted)
    if (!peer.devices.isPaired(id)) throw new SpacedriveError('NOT_PAIRED', `${name} is not paired with this device`)
    if (access === 'read' && versions !== undefined)
      throw new SpacedriveError('USAGE', '--versions goes with --write: where it only reads, nothing is replaced here')
    const folder = await folderToLet(peer, path, 'make a rule for')
    const kept = versions === undefined ? undefined : peer.history.policy(versions)
    const unique = MODES.filter(mode => modes.includes(mode))
    await peer.syncRules.set({ device: id, path: folder, modes: unique, access, versions: kept })
    return view(peer, peer.syncRules.list(id).find(rule => rule.path === folder)!)
  },
  command: {
    path: 'sync rule',
    arguments: [[...DEVICE_ARGUMENT], ['<dir>', 'the folder; it and all below it may be asked for']],
    options: [
      ['--mode <modes>', `${MODES.join(', ')}: those that are accepted, divided by commas; or all`],
      ['--read', 'only where nothing is changed here'],
      ['--write', 'also where what is here is changed'],
      ['--versions <policy>', 'how long what is replaced or deleted is kept: trashcan[:DAYS], simple[:N], staggered']
    ],
    examples: [
      'spacedrive sync rule laptop /srv/backup --mode backup,mirror --write --versions trashcan:90',
      'spacedrive sync rule phone ~/Music --mode all --read'
    ],
    input({ arguments: [of, dir], options: o }, { cwd }) {
      const {
        read = false,
        write = false,
        mode,
        versions
      } = o as Record<string, never> & {
        read?: boolean
        write?: boolean
        mode?: string
        versions?: string
      }
      if (read === write) throw new SpacedriveError('USAGE', 'expected either --read or --write')
      return {
        ...{ device: String(of), path: resolveTyped(cwd, String(dir)), modes: modesOf(mode) },
        access: write ? ('write' as const) : ('read' as const),
        ...(versions !== undefined && { versions })
      }
    },
    render(rule, terminal) {
      const what = rule.access === 'write' ? 'read or change' : 'only read'
      terminal.line(`Syncs (${rule.modes.join(', ')}) of ${rule.name} that ${what} ${rule.path}, or what is below it,`)
      terminal.line('are accepted unasked from now on. Those that wait already, and all others, `sync requests` shows.')
    }
  }
})

export const syncRules = defineOperation({
  name: 'sync.rules',
  summary: 'Which syncs of other devices are accepted without being asked',
  input: z.strictObject({ device: device.optional() }),
  async run({ peer }, { device: wanted }) {
    const of = wanted === undefined ? undefined : peer.devices.resolve(wanted).id
    return { rules: peer.syncRules.list(of).map(rule => view(peer, rule)) }
  },
  command: {
    path: 'sync rules',
    arguments: [['[device]', 'only those of this one']],
    examples: ['spacedrive sync rules', 'spacedrive sync rules laptop --json'],
    input: ({ arguments: [of] }) => (of === undefined ? {} : { device: String(of) }),
    render({ rules }, terminal) {
      if (rules.length === 0)
        terminal.line('Each sync that a device asks for waits for you. `sync rule` lets some pass.')
      else
        terminal.table(
          rules.map(r => ({
            ...{ DEVICE: r.name, ACCESS: r.access, MODES: r.modes.join(','), VERSIONS: r.versions ?? '' },
            ...{ SINCE: formatTime(r.madeAt), FOLDER: r.path }
          }))
        )
    }
  }
})

export const syncUnrule = defineOperation({
  name: 'sync.unrule',
  summary: 'Be asked again about syncs of a device with a folder here',
  input: z.strictObject({ device, path }),
  async run({ peer }, { device: wanted, path }) {
    const { id, name } = peer.devices.resolve(wanted)
    const folder = await realFolder(path, 'take back a rule for').catch(() => path as AbsPath) // its rule is there still
    if (await peer.syncRules.remove(id, folder)) return { device: id, name, path: displayPath(folder) }
    throw new SpacedriveError('NOT_FOUND', `there is no rule of ${name} for ${displayPath(folder)}`, {
      hint: '`sync rules` lists those there are.'
    })
  },
  command: {
    path: 'sync unrule',
    arguments: [[...DEVICE_ARGUMENT], ['<dir>', 'the folder of the rule']],
    examples: ['spacedrive sync unrule laptop /srv/backup'],
    input: ({ arguments: [of, dir] }, { cwd }) => ({ device: String(of), path: resolveTyped(cwd, String(dir)) }),
    render: ({ name, path }, terminal) =>
      terminal.line(`You are asked about syncs of ${name} with ${path} again. What was accepted stays so.`)
  }
})

function modesOf(text: string | undefined): Mode[] {
  if (text === 'all') return [...MODES]
  const modes = (text ?? '').split(',').map(mode => mode.trim())
  if (modes.every(mode => mode in MODE_NAMES)) return modes as Mode[]
  throw new SpacedriveError('USAGE', `expected --mode ${MODES.join(' | ')} | all, got ${asTyped(text)}`, {
    hint: 'Several are divided by commas: --mode mirror,backup.'
  })
}
