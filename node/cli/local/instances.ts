import { displayPath, hasCode, SpacedriveError, toError } from '../../../storage/base/index.js'
import { daemonClient } from '../../client/index.js'
import { baseDirOf, DEFAULT_INSTANCE, dataDirOf, listInstances } from '../../instance/index.js'
import type { Terminal } from '../../operations/operation.js'
import { ownHint } from '../own-command.js'
import type { Globals, LocalCommand } from './local-command.js'

interface ListAnswer {
  /** Where they were looked for: instances of another --data-dir are not among them. */
  readonly base: string
  readonly instances: readonly {
    readonly name: string
    readonly state: string
    readonly pid: number | null
    readonly version: string | null
    readonly dataDir: string
    /** Why it cannot be started as it is, and the way on. */
    readonly problem: { readonly code: string; readonly message: string; readonly hint: string | null } | null
  }[]
}

export const instanceList: LocalCommand = {
  path: 'instance list',
  aliases: ['daemon list'],
  summary: 'The instances on this machine: running, stopped or dead',
  examples: ['spacedrive instance list', 'spacedrive instance list --json'],
  async run({ globals, terminal }): Promise<ListAnswer> {
    const base = baseDirOf({ dataDir: globals.dataDir, cwd: terminal.cwd })
    const found = await listInstances(base)
    return {
      base: displayPath(base),
      instances: found.map(({ name, state, dataDir, place, problem }) => ({
        name,
        state,
        pid: state === 'running' ? (place?.pid ?? null) : null,
        version: state === 'running' ? (place?.version ?? null) : null,
        dataDir: displayPath(dataDir),
        problem:
          problem === undefined ? null : problemView(problem, { dataDir: globals.dataDir, instance: ownName(name) })
      }))
    }
  },
  render({ base, instances }: ListAnswer, terminal: Terminal) {
    if (instances.length === 0) {
      terminal.line(`No instance was ever started in ${base}.`)
      terminal.note('One that was started with --data-dir is listed with the same --data-dir.')
    }
    const colors = { running: 'green', dead: 'red' } as const
    terminal.table(
      instances.map(({ name, state, pid, dataDir }) => ({
        name,
        state: state in colors ? terminal.color(colors[state as keyof typeof colors], state) : state,
        process: pid ?? '',
        data: dataDir
      }))
    )
    for (const { name, problem } of instances) {
      if (problem !== null) terminal.note(`${name}: ${problem.message}. ${problem.hint ?? ''}`.trim())
    }
    if (instances.some(i => i.state === 'dead')) {
      terminal.note('A dead one ended without stopping; starting it clears what it left.')
    }
  }
}

/** The one without a name is spoken to without one. */
const ownName = (name: string): string | undefined => (name === DEFAULT_INSTANCE ? undefined : name)

const problemView = ({ code, message, hint }: SpacedriveError, instance: Pick<Globals, 'dataDir' | 'instance'>) => ({
  ...{ code, message },
  hint: hint === undefined ? null : ownHint(hint, instance)
})

export const instanceStop: LocalCommand = {
  path: 'instance stop',
  summary: 'Stop the daemon of an instance',
  arguments: [['<name>', 'its name; `default` for the one without']],
  examples: ['spacedrive instance stop alice', 'spacedrive instance stop default'],
  async run({ globals, terminal, signal }, typed) {
    const instance = String(typed.arguments[0])
    const dataDir = dataDirOf({ dataDir: globals.dataDir, instance, cwd: terminal.cwd })
    try {
      await daemonClient(dataDir).call('system.stop', {}, { signal })
    } catch (err) {
      if (!hasCode(err, 'DAEMON_NOT_RUNNING')) throw err
      const hint = '`spacedrive instance list` shows those there are.'
      throw new SpacedriveError('DAEMON_NOT_RUNNING', toError(err).message, {
        ...{ cause: err, hint, details: { dataDir: displayPath(dataDir) } }
      })
    }
    return { stopped: true, instance }
  },
  render: ({ instance }: { instance: string }, terminal: Terminal) => terminal.line(`Stopped ${instance}.`)
}
