import { z } from 'zod'
import { displayPath } from '../../storage/base/index.js'
import type { LibraryInfo } from '../../storage/libraries/index.js'
import { formatBytes } from './format.js'
import { defineOperation, type Terminal } from './operation.js'

/** A library as the API shows it: paths in display form. */
export const libraryFacts = (info: LibraryInfo) => ({
  ...info,
  name: displayPath(info.name),
  path: displayPath(info.path)
})

export type LibraryFacts = ReturnType<typeof libraryFacts>

export const stateOf = (l: LibraryFacts): string =>
  l.current
    ? 'current'
    : l.open
      ? 'open'
      : l.missing
        ? 'not there'
        : l.problem !== undefined
          ? 'cannot be opened'
          : 'closed'

export function renderLibraries(libraries: readonly LibraryFacts[], terminal: Terminal): void {
  if (libraries.length === 0) terminal.line('No library yet. Make one: spacedrive library create NAME')
  else terminal.table(libraries.map(l => ({ NAME: l.name, STATE: stateOf(l), ID: l.id.slice(0, 8), FOLDER: l.path })))
  for (const { name, problem } of libraries) {
    if (problem === undefined) continue
    terminal.note(`${name}: ${problem.message}`)
    if (problem.hint !== undefined) terminal.note(`  ${problem.hint}`)
  }
}

export const libraryList = defineOperation({
  name: 'library.list',
  summary: 'The libraries this device knows, and those found beside them',
  input: z.strictObject({}),
  async run({ peer }) {
    const known = peer.libraries.list()
    const found = (await peer.libraries.discover()).filter(f => !known.some(k => k.path === f.path))
    return { libraries: known.map(libraryFacts), found: found.map(libraryFacts) }
  },
  command: {
    path: 'library list',
    examples: ['spacedrive library list'],
    input: () => ({}),
    render({ libraries, found }, terminal) {
      renderLibraries(libraries, terminal)
      for (const l of found) terminal.line(`Not opened yet: ${l.name} (spacedrive library open "${l.path}")`)
    }
  }
})

export const libraryCurrent = defineOperation({
  name: 'library.current',
  summary: 'The library that commands use when none is named',
  input: z.strictObject({}),
  async run({ peer }) {
    const { id } = peer.libraries.current()
    return { library: libraryFacts(peer.libraries.list().find(l => l.id === id)!) }
  },
  command: {
    path: 'library current',
    examples: ['spacedrive library current'],
    input: () => ({}),
    render: ({ library }, terminal) => terminal.line(`${library.name}  ${library.path}`)
  }
})

export const libraryInfo = defineOperation({
  name: 'library.info',
  summary: 'What a library holds',
  input: z.strictObject({ library: z.string().optional() }),
  async run({ peer }, { library }) {
    const open = library === undefined ? peer.libraries.current() : peer.libraries.get(library)
    const info = libraryFacts(peer.libraries.list().find(l => l.path === open.path)!)
    return { ...info, statistics: await open.statistics(), generation: await open.generation() }
  },
  command: {
    path: 'library info',
    arguments: [['[library]', 'id or name; the current one when left out']],
    examples: ['spacedrive library info', 'spacedrive library info Photos'],
    input: ({ arguments: [library] }) => (library === undefined ? {} : { library: String(library) }),
    render({ name, path, id, statistics: s, generation }, terminal) {
      terminal.line(terminal.bold(name))
      terminal.line(`folder       ${path}`)
      terminal.line(`id           ${id}`)
      terminal.line(
        `files        ${s.files.toLocaleString('en-US')} in ${s.directories.toLocaleString('en-US')} folders`
      )
      terminal.line(`size         ${formatBytes(s.bytes)}`)
      terminal.line(`contents     ${s.contents.toLocaleString('en-US')} different ones known`)
      terminal.line(`locations    ${s.locations}`)
      terminal.line(`tags         ${s.tags}`)
      terminal.line(
        `database     ${formatBytes(s.databaseBytes)}, index ${generation.index.slice(0, 8)} at ${generation.seq}`
      )
    }
  }
})
