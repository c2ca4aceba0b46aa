import { z } from 'zod'
import { type ProgressFields, SpacedriveError } from '../../storage/base/index.js'
import { asTyped } from './as-typed.js'
import { shortId } from './job-text.js'
import { jobGoesOn, waitForJob } from './job-wait.js'
import { MODE_NAMES, ruleOptions, rulesInput, typedMode, typedRules } from './location-input.js'
import { locationFacts } from './location-text.js'
import { defineOperation, type Terminal } from './operation.js'
import { problems, progressLine } from './progress.js'
import { resolveTyped } from './typed-path.js'

const argument = [['<location>', 'its id, first or last 8 letters of it, name or folder']] as const

/** A folder may be named as it is from here. */
function named(value: unknown, { cwd }: Terminal): string {
  const text = String(value)
  return /^[.~/]/.test(text) ? resolveTyped(cwd, text) : text
}

export const locationUpdate = defineOperation({
  name: 'location.update',
  summary: 'Change how a folder is indexed and watched',
  input: z.strictObject({
    location: z.string().min(1),
    name: z.string().optional(),
    mode: z.enum(MODE_NAMES).optional(),
    watch: z.boolean().optional(),
    rules: rulesInput.optional()
  }),
  async run({ peer }, { location: which, ...changes }) {
    const { location, job } = await peer.locations.update(peer.locations.find(which).id, changes)
    return { location: locationFacts(location), job }
  },
  command: {
    path: 'location update',
    arguments: argument,
    options: [
      ['--name <name>', 'what to call it'],
      ['--mode <mode>', MODE_NAMES.join(', ')],
      ['--watch <true|false>', 'see changes as they happen'],
      ...ruleOptions
    ],
    examples: [
      'spacedrive location update Photos --watch false',
      'spacedrive location update src --mode deep --ext none'
    ],
    input(typed, terminal) {
      const { options } = typed
      const changes = {
        ...(typeof options.name === 'string' ? { name: options.name } : {}),
        ...(options.mode === undefined ? {} : { mode: typedMode(options.mode) }),
        ...(options.watch === undefined ? {} : { watch: yesOrNo(options.watch) }),
        ...(typedRules(typed) === undefined ? {} : { rules: typedRules(typed) })
      }
      if (Object.keys(changes).length === 0) {
        throw new SpacedriveError('USAGE', 'nothing to change was named', { hint: 'spacedrive location update --help' })
      }
      return { location: named(typed.arguments[0], terminal), ...changes }
    },
    render({ location, job }, terminal) {
      terminal.line(`${location.name} is changed.${job === null ? '' : ` It is looked at anew (job ${shortId(job)}).`}`)
    }
  }
})

export const locationRescan = defineOperation({
  name: 'location.rescan',
  summary: 'Look at a folder anew',
  input: z.strictObject({
    location: z.string().min(1),
    force: z.boolean().default(false),
    wait: z.boolean().default(false)
  }),
  async run({ peer, signal, emit }, { location: which, force, wait }) {
    const { id } = peer.locations.find(which)
    const job = await peer.locations.rescan(id, { force })
    const ended = wait ? await waitForJob(peer, job, emit, signal) : null
    return { location: locationFacts(await peer.locations.info(id)), job, ended }
  },
  command: {
    path: 'location rescan',
    arguments: argument,
    options: [
      ['--force', 'look at every file and hash it again, whatever its times say'],
      ['--wait', 'show how far it is, and end when it is done']
    ],
    examples: ['spacedrive location rescan Photos', 'spacedrive location rescan Photos --force --wait'],
    input: (typed, terminal) => ({
      location: named(typed.arguments[0], terminal),
      force: typed.options.force === true,
      wait: typed.options.wait === true
    }),
    left: jobGoesOn,
    progress: (value: ProgressFields, terminal) => terminal.status(progressLine(value, terminal)),
    render({ location, job, ended }, terminal) {
      const how = ended === null ? `is being looked at (job ${shortId(job)})` : 'was looked at'
      terminal.line(`${location.name} ${how}.`)
      if (ended !== null && ended.problems > 0) {
        terminal.line(`${problems(ended.problems)}: see \`spacedrive job info ${shortId(job)}\`.`)
      }
    },
    exitCode: ({ ended }) => ((ended?.problems ?? 0) > 0 ? 3 : 0)
  }
})

export const locationRemove = defineOperation({
  name: 'location.remove',
  summary: 'No longer index a folder; its files, tags and notes stay',
  input: z.strictObject({ location: z.string().min(1) }),
  async run({ peer }, { location: which }) {
    const { id } = peer.locations.find(which)
    const location = locationFacts(await peer.locations.info(id))
    await peer.locations.remove(id)
    return { location }
  },
  command: {
    path: 'location remove',
    arguments: argument,
    examples: ['spacedrive location remove Photos'],
    input: (typed, terminal) => ({ location: named(typed.arguments[0], terminal) }),
    render({ location }, terminal) {
      terminal.line(`${location.name} is no longer indexed. Nothing in ${location.path} was touched.`)
    }
  }
})

function yesOrNo(value: unknown): boolean {
  if (value === 'true' || value === 'on' || value === 'yes') return true
  if (value === 'false' || value === 'off' || value === 'no') return false
  throw new SpacedriveError('USAGE', `expected --watch true | false, got ${asTyped(value)}`)
}
