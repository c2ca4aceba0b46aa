import { z } from 'zod'
import { displayPath, SpacedriveError } from '../../storage/base/index.js'
import type { MarkFacts, MarkTasks } from '../../storage/entries/index.js'
import { defineOperation } from './operation.js'
import { absolutePath, colorInput, libraryOf, libraryOption, targetAt, targetOf, typedPaths } from './said-input.js'

/** What sets tags and labels apart; their commands are the same four. */
interface MarkKind<K extends 'tag' | 'label'> {
  readonly what: K
  /** For help and examples. */
  readonly named: readonly [meaning: string, renamed: string]
  readonly examples: Readonly<Record<'add' | 'remove' | 'list' | 'rename', readonly string[]>>
  readonly summaries: Readonly<Record<'drop' | 'list' | 'rename', string>>
  readonly none: string
  /** Loaded when asked for: the command line reads this file as well, and they bring the database along. */
  tasks(): Promise<MarkTasks>
}

const library = z.string().optional()
const name = z.string().min(1).max(2_000)
const onLibrary = ['--library <library>', 'another than the current library'] as const
const onColor = ['--color <color>', '#rrggbb or a name'] as const

/** `tag add`, `tag remove`, `tag list`, `tag rename`, and likewise of labels. */
export function markOperations<const K extends 'tag' | 'label'>(kind: MarkKind<K>) {
  const { what, named, examples, summaries, tasks } = kind
  const argument = [`<${what}>`, named[0]] as const

  const add = defineOperation({
    name: `${what}.add` as const,
    summary: `Put a ${what} on files and folders, indexed or not`,
    input: z.strictObject({ name, paths: z.array(absolutePath).min(1), color: colorInput.optional(), library }),
    async run({ peer }, { name, paths, color, library }) {
      const { host, database } = libraryOf(peer, library)
      const targets = await Promise.all(paths.map(targetAt))
      await database.write((await tasks()).add, { host, nowMs: peer.clock.nowMs(), targets, name, color })
      return { name, paths: paths.map(displayPath) }
    },
    command: {
      path: `${what} add`,
      arguments: [argument, ['<paths...>', 'files and folders']],
      options: [onColor, onLibrary],
      examples: examples.add,
      input: ({ arguments: [which, paths], options: o }, { cwd }) => ({
        name: String(which),
        paths: typedPaths(paths, cwd),
        ...(o.color === undefined ? {} : { color: String(o.color) }),
        ...libraryOption(o)
      }),
      render: ({ name, paths }, terminal) =>
        terminal.line(`${name}: put on ${paths.length === 1 ? paths[0] : `${paths.length} paths`}`)
    }
  })

  const remove = defineOperation({
    name: `${what}.remove` as const,
    summary: `Take a ${what} off files and folders, or ${summaries.drop}`,
    input: z.strictObject({ name, paths: z.array(absolutePath), library }),
    async run({ peer }, { name, paths, library }) {
      const { host, database } = libraryOf(peer, library)
      const { drop, remove } = await tasks()
      if (paths.length === 0) {
        await database.write(drop, { name })
        return { name, removed: null }
      }
      const targets = await Promise.all(paths.map(targetOf))
      return { name, removed: await database.write(remove, { host, targets, name }) }
    },
    command: {
      path: `${what} remove`,
      arguments: [argument, ['[paths...]', `files and folders; without any the ${what} itself goes`]],
      options: [onLibrary],
      examples: examples.remove,
      input: ({ arguments: [which, paths], options: o }, { cwd }) => ({
        name: String(which),
        paths: paths === undefined ? [] : typedPaths(paths, cwd),
        ...libraryOption(o)
      }),
      render: ({ name, removed }, terminal) =>
        terminal.line(
          removed === null
            ? `The ${what} ${name} is gone`
            : `${name}: taken off ${removed} ${removed === 1 ? 'path' : 'paths'}`
        )
    }
  })

  const list = defineOperation({
    name: `${what}.list` as const,
    summary: summaries.list,
    input: z.strictObject({ library }),
    async run({ peer, signal }, { library }) {
      const databaseFile = libraryOf(peer, library).database.file
      const found = await peer.pool.run((await tasks()).list, { databaseFile }, { signal })
      return { [`${what}s`]: found } as Record<`${K}s`, readonly MarkFacts[]>
    },
    command: {
      path: `${what} list`,
      options: [onLibrary],
      examples: examples.list,
      input: ({ options: o }) => libraryOption(o),
      render(answer, terminal) {
        const found = answer[`${what}s`]
        if (found.length === 0) terminal.line(kind.none)
        else terminal.table(found.map(m => ({ [what.toUpperCase()]: m.name, COLOUR: m.color ?? '', FILES: m.count })))
      }
    }
  })

  const rename = defineOperation({
    name: `${what}.rename` as const,
    summary: summaries.rename,
    input: z.strictObject({ name, to: name.optional(), color: colorInput.nullable().optional(), library }),
    async run({ peer }, { library, name, to, color }) {
      const { database } = libraryOf(peer, library)
      await database.write((await tasks()).change, { name, to, color, nowMs: peer.clock.nowMs() })
      return { name: to ?? name }
    },
    command: {
      path: `${what} rename`,
      arguments: [argument, ['[name]', named[1]]],
      options: [['--color <color>', '#rrggbb or a name; none: none'], onLibrary],
      examples: examples.rename,
      input({ arguments: [which, to], options: o }) {
        if (to === undefined && o.color === undefined) {
          throw new SpacedriveError('USAGE', `nothing to change about the ${what} was named`, {
            hint: `Give a new name, --color, or both: spacedrive ${what} rename --help`
          })
        }
        return {
          name: String(which),
          ...(to === undefined ? {} : { to: String(to) }),
          ...(o.color === undefined ? {} : { color: o.color === 'none' ? null : String(o.color) }),
          ...libraryOption(o)
        }
      },
      render: ({ name }, terminal) => terminal.line(`The ${what} is ${name} now`)
    }
  })

  return { add, remove, list, rename }
}
