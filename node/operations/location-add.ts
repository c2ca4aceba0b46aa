import { isAbsolute } from 'node:path'
import { z } from 'zod'
import type { AbsPath, ProgressFields } from '../../storage/base/index.js'
import { formatBytes } from './format.js'
import { shortId } from './job-text.js'
import { jobGoesOn, waitForJob } from './job-wait.js'
import { MODE_NAMES, ruleOptions, rulesInput, typedMode, typedRules } from './location-input.js'
import { locationFacts } from './location-text.js'
import { defineOperation } from './operation.js'
import { problems, progressLine } from './progress.js'
import { resolveTyped } from './typed-path.js'

export const locationAdd = defineOperation({
  name: 'location.add',
  summary: 'Index a folder and watch it',
  input: z.strictObject({
    path: z.string().refine(isAbsolute, 'expected an absolute path'),
    library: z.string().optional(),
    name: z.string().optional(),
    mode: z.enum(MODE_NAMES).optional(),
    watch: z.boolean().optional(),
    rules: rulesInput.optional(),
    /** Resolves when it is indexed, with progress on the way. */
    wait: z.boolean().default(false)
  }),
  async run({ peer, signal, emit }, { path, library: which, name, mode, watch, rules, wait }) {
    const library = which === undefined ? peer.libraries.current() : peer.libraries.get(which)
    const { location, job } = await peer.locations.add(library, { path: path as AbsPath, name, mode, watch, rules })
    if (!wait) return { location: locationFacts(location), job, ended: null }
    const ended = await waitForJob(peer, job, emit, signal)
    return { location: locationFacts(await peer.locations.info(location.id)), job, ended }
  },
  command: {
    path: 'location add',
    arguments: [['<path>', 'the folder']],
    options: [
      ['--name <name>', 'what to call it (its own name)'],
      ['--library <library>', 'id or name of an open library (the current one)'],
      [
        '--mode <mode>',
        'shallow: names, sizes, times; content: what bytes they hold, too; deep: facts of media, too (content)'
      ],
      ['--no-watch', 'look only when told to, and every hour'],
      ...ruleOptions,
      ['--wait', 'show how far it is, and end when it is indexed']
    ],
    examples: [
      'spacedrive location add ~/Photos',
      'spacedrive location add ~/src --mode shallow --ignore node_modules --wait'
    ],
    input(typed, { cwd }) {
      const { options } = typed
      return {
        path: resolveTyped(cwd, String(typed.arguments[0])),
        ...(typeof options.library === 'string' ? { library: options.library } : {}),
        ...(typeof options.name === 'string' ? { name: options.name } : {}),
        mode: typedMode(options.mode),
        watch: options.watch !== false,
        rules: typedRules(typed),
        wait: options.wait === true
      }
    },
    left: jobGoesOn,
    progress: (value: ProgressFields, terminal) => terminal.status(progressLine(value, terminal)),
    render({ location, job, ended }, terminal) {
      if (ended === null) {
        terminal.line(
          `${location.name} is being indexed (job ${shortId(job)}). \`spacedrive job monitor\` shows how far it is.`
        )
        return
      }
      const { name, files, directories, bytes } = location
      terminal.line(`${name} is indexed: ${count(files)} files, ${count(directories)} folders, ${formatBytes(bytes)}.`)
      if (ended.problems > 0) terminal.line(`${problems(ended.problems)}: see \`spacedrive job info ${shortId(job)}\`.`)
    },
    exitCode: ({ ended }) => ((ended?.problems ?? 0) > 0 ? 3 : 0)
  }
})

const count = (n: number): string => n.toLocaleString('en-US')
