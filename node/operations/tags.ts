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

export const tagAdd = defineOperation({
  name: 'tag.add',
  summary: 'Put a tag on files and folders, indexed or not',
  input: z.strictObject({
    tag: z.string(),
    paths: z.array(absolutePath).min(1),
    color: colorInput.optional(),
    library: z.string().optional()
  }),
  async run({ peer }, { tag, paths, color, library }) {
    const { annotating } = await import('../../storage/entries/index.js')
    const open = libraryOf(peer, library)
    const targets = await Promise.all(paths.map(targetAt))
    const input = { host: open.host, nowMs: peer.clock.nowMs(), targets, tag }
    await open.database.write(annotating.tag, color === undefined ? input : { ...input, color })
    return { tag, paths: paths.map(displayPath) }
  },
  command: {
    path: 'tag add',
    arguments: [
      ['<tag>', 'its name; made if there is none'],
      ['<paths...>', 'files and folders']
    ],
    options: [['--color <color>', '#rrggbb or a name'], ...options],
    examples: ['spacedrive tag add Work report.pdf', 'spacedrive tag add Important --color red ~/Taxes'],
    input: ({ arguments: [tag, paths], options: o }, { cwd }) => ({
      tag: String(tag),
      paths: typedPaths(paths, cwd),
      ...(o.color === undefined ? {} : { color: String(o.color) }),
      ...libraryOption(o)
    }),
    render: ({ tag, paths }, terminal) =>
      terminal.line(`${tag}: put on ${paths.length === 1 ? paths[0] : `${paths.length} paths`}`)
  }
})

export const tagRemove = defineOperation({
  name: 'tag.remove',
  summary: 'Take a tag off files and folders, or do away with it',
  input: z.strictObject({ tag: z.string(), paths: z.array(absolutePath), library: z.string().optional() }),
  async run({ peer }, { tag, paths, library }) {
    const { annotating } = await import('../../storage/entries/index.js')
    const open = libraryOf(peer, library)
    if (paths.length === 0) {
      await open.database.write(annotating.dropTag, { tag })
      return { tag, removed: null }
    }
    const targets = await Promise.all(paths.map(targetOf))
    return { tag, removed: await open.database.write(annotating.untag, { host: open.host, targets, tag }) }
  },
  command: {
    path: 'tag remove',
    arguments: [
      ['<tag>', 'its name'],
      ['[paths...]', 'files and folders; without any the tag itself goes']
    ],
    options,
    examples: ['spacedrive tag remove Work report.pdf', 'spacedrive tag remove Old'],
    input: ({ arguments: [tag, paths], options: o }, { cwd }) => ({
      tag: String(tag),
      paths: paths === undefined ? [] : typedPaths(paths, cwd),
      ...libraryOption(o)
    }),
    render: ({ tag, removed }, terminal) =>
      terminal.line(
        removed === null ? `The tag ${tag} is gone` : `${tag}: taken off ${removed} ${removed === 1 ? 'path' : 'paths'}`
      )
  }
})

export const tagList = defineOperation({
  name: 'tag.list',
  summary: 'The tags there are, with how many files bear each',
  input: z.strictObject({ library: z.string().optional() }),
  async run({ peer, signal }, { library }) {
    const { annotating } = await import('../../storage/entries/index.js')
    const databaseFile = libraryOf(peer, library).database.file
    return { tags: await peer.pool.run(annotating.tags, { databaseFile }, { signal }) }
  },
  command: {
    path: 'tag list',
    options,
    examples: ['spacedrive tag list'],
    input: ({ options: o }) => libraryOption(o),
    render({ tags }, terminal) {
      if (tags.length === 0) terminal.line('No tag yet: spacedrive tag add NAME PATH')
      else terminal.table(tags.map(t => ({ TAG: t.name, COLOUR: t.color ?? '', FILES: t.count })))
    }
  }
})

export const tagRename = defineOperation({
  name: 'tag.rename',
  summary: 'Give a tag another name or colour',
  input: z.strictObject({
    tag: z.string(),
    name: z.string().optional(),
    color: colorInput.nullable().optional(),
    library: z.string().optional()
  }),
  async run({ peer }, { library, tag, name, color }) {
    const { annotating } = await import('../../storage/entries/index.js')
    const change = {
      tag,
      nowMs: peer.clock.nowMs(),
      ...(name === undefined ? {} : { name }),
      ...(color === undefined ? {} : { color })
    }
    await libraryOf(peer, library).database.write(annotating.changeTag, change)
    return { tag: name ?? tag }
  },
  command: {
    path: 'tag rename',
    arguments: [
      ['<tag>', 'its name'],
      ['[name]', 'its new name']
    ],
    options: [['--color <color>', '#rrggbb or a name'], ...options],
    examples: ['spacedrive tag rename Work Office', 'spacedrive tag rename Work --color "#ff8800"'],
    input({ arguments: [tag, name], options: o }) {
      if (name === undefined && o.color === undefined) throw nothingToChange('tag')
      return {
        tag: String(tag),
        ...(name === undefined ? {} : { name: String(name) }),
        ...(o.color === undefined ? {} : { color: String(o.color) }),
        ...libraryOption(o)
      }
    },
    render: ({ tag }, terminal) => terminal.line(`The tag is ${tag} now`)
  }
})
