import { z } from 'zod'
import { displayPath } from '../../storage/base/index.js'
import { defineOperation } from './operation.js'
import {
  absolutePath,
  colorInput,
  libraryOf,
  libraryOption,
  nothingToChange,
  targetAt,
  targetOf,
  typedPaths
} from './said-input.js'

const options = [['--library <library>', 'another than the current library']] as const
const label = z.string().min(1).max(2_000)
const argument = ['<label>', 'names from the wide to the narrow: Projects/Web'] as const

export const labelAdd = defineOperation({
  name: 'label.add',
  summary: 'Put a label on files and folders, indexed or not',
  input: z.strictObject({
    label,
    paths: z.array(absolutePath).min(1),
    color: colorInput.optional(),
    library: z.string().optional()
  }),
  async run({ peer }, { label, paths, color, library }) {
    const { labelling } = await import('../../storage/entries/index.js')
    const { host, database } = libraryOf(peer, library)
    const targets = await Promise.all(paths.map(targetAt))
    const said = { host, nowMs: peer.clock.nowMs(), targets, label }
    await database.write(labelling.add, color === undefined ? said : { ...said, color })
    return { label, paths: paths.map(displayPath) }
  },
  command: {
    path: 'label add',
    arguments: [argument, ['<paths...>', 'files and folders']],
    options: [['--color <color>', '#rrggbb or a name'], ...options],
    examples: ['spacedrive label add Projects/Web site/ notes.md'],
    input: ({ arguments: [which, paths], options: o }, { cwd }) => ({
      label: String(which),
      paths: typedPaths(paths, cwd),
      ...(o.color === undefined ? {} : { color: String(o.color) }),
      ...libraryOption(o)
    }),
    render: ({ label, paths }, terminal) =>
      terminal.line(`${label}: put on ${paths.length === 1 ? paths[0] : `${paths.length} paths`}`)
  }
})

export const labelRemove = defineOperation({
  name: 'label.remove',
  summary: 'Take a label off files and folders, or do away with it and those below it',
  input: z.strictObject({ label, paths: z.array(absolutePath), library: z.string().optional() }),
  async run({ peer }, { label, paths, library }) {
    const { labelling } = await import('../../storage/entries/index.js')
    const { host, database } = libraryOf(peer, library)
    if (paths.length === 0) {
      await database.write(labelling.drop, { label })
      return { label, removed: null }
    }
    const targets = await Promise.all(paths.map(targetOf))
    return { label, removed: await database.write(labelling.remove, { host, targets, label }) }
  },
  command: {
    path: 'label remove',
    arguments: [argument, ['[paths...]', 'files and folders; without any the label itself goes']],
    options,
    examples: ['spacedrive label remove Projects/Web notes.md', 'spacedrive label remove Projects/Old'],
    input: ({ arguments: [which, paths], options: o }, { cwd }) => ({
      label: String(which),
      paths: paths === undefined ? [] : typedPaths(paths, cwd),
      ...libraryOption(o)
    }),
    render: ({ label, removed }, terminal) =>
      terminal.line(
        removed === null
          ? `The label ${label} is gone`
          : `${label}: taken off ${removed} ${removed === 1 ? 'path' : 'paths'}`
      )
  }
})

export const labelList = defineOperation({
  name: 'label.list',
  summary: 'The labels there are, with how many files bear each or one below it',
  input: z.strictObject({ library: z.string().optional() }),
  async run({ peer, signal }, { library }) {
    const { labelling } = await import('../../storage/entries/index.js')
    const databaseFile = libraryOf(peer, library).database.file
    return { labels: await peer.pool.run(labelling.list, { databaseFile }, { signal }) }
  },
  command: {
    path: 'label list',
    options,
    examples: ['spacedrive label list'],
    input: ({ options: o }) => libraryOption(o),
    render({ labels }, terminal) {
      if (labels.length === 0) terminal.line('No label yet: spacedrive label add Projects/Web PATH')
      else terminal.table(labels.map(l => ({ LABEL: l.path, COLOUR: l.color ?? '', FILES: l.count })))
    }
  }
})

export const labelRename = defineOperation({
  name: 'label.rename',
  summary: 'Give a label another name, place in the tree, or colour',
  input: z.strictObject({
    label,
    path: label.optional(),
    color: colorInput.nullable().optional(),
    library: z.string().optional()
  }),
  async run({ peer }, { library, label, path, color }) {
    const { labelling } = await import('../../storage/entries/index.js')
    await libraryOf(peer, library).database.write(labelling.change, {
      ...{ label, nowMs: peer.clock.nowMs() },
      ...(path === undefined ? {} : { path }),
      ...(color === undefined ? {} : { color })
    })
    return { label: path ?? label }
  },
  command: {
    path: 'label rename',
    arguments: [argument, ['[path]', 'what it is called from now on, whole: Work/Web']],
    options: [['--color <color>', '#rrggbb or a name'], ...options],
    examples: ['spacedrive label rename Projects/Web Work/Web'],
    input({ arguments: [which, path], options: o }) {
      if (path === undefined && o.color === undefined) throw nothingToChange('label')
      return {
        label: String(which),
        ...(path === undefined ? {} : { path: String(path) }),
        ...(o.color === undefined ? {} : { color: String(o.color) }),
        ...libraryOption(o)
      }
    },
    render: ({ label }, terminal) => terminal.line(`The label is ${label} now`)
  }
})
