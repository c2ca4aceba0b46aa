import { z } from 'zod'
import type { AbsPath } from '../../storage/base/index.js'
import type { Peer } from '../compose.js'
import { libraryFacts } from './library-list.js'
import { defineOperation } from './operation.js'
import { resolveTyped } from './typed-path.js'

const factsOf = (peer: Peer, path: string) => libraryFacts(peer.libraries.list().find(l => l.path === path)!)

/** On the command line a library is a name, an id or a folder; a folder is made absolute where it was typed. */
export const typedLibrary = (text: string, cwd: string): string =>
  /[/\\]|\.sdlibrary$/.test(text) ? resolveTyped(cwd, text) : text

export const libraryCreate = defineOperation({
  name: 'library.create',
  summary: 'Make a library and use it from now on',
  input: z.strictObject({ name: z.string(), path: z.string().startsWith('/').optional() }),
  async run({ peer }, { name, path }) {
    const library = await peer.libraries.create(path === undefined ? { name } : { name, path: path as AbsPath })
    return { library: factsOf(peer, library.path) }
  },
  command: {
    path: 'library create',
    arguments: [['<name>', 'what to call it']],
    options: [['--path <folder>', 'where to make its folder; in the data directory when left out']],
    examples: ['spacedrive library create "My Photos"', 'spacedrive library create Work --path /mnt/disk'],
    input: ({ arguments: [name], options }, { cwd }) => ({
      name: String(name),
      ...(options.path === undefined ? {} : { path: resolveTyped(cwd, String(options.path)) })
    }),
    render: ({ library }, terminal) => terminal.line(`Made the library ${library.name} in ${library.path}`)
  }
})

export const libraryOpen = defineOperation({
  name: 'library.open',
  summary: 'Open a library; it is opened again at each start',
  input: z.strictObject({ library: z.string() }),
  async run({ peer }, { library }) {
    const { path } = await peer.libraries.open(library)
    return { library: factsOf(peer, path) }
  },
  command: {
    path: 'library open',
    arguments: [['<library>', 'its folder, or the name or id of a known one']],
    examples: ['spacedrive library open "/mnt/disk/Work.sdlibrary"'],
    input: ({ arguments: [which] }, { cwd }) => ({ library: typedLibrary(String(which), cwd) }),
    render: ({ library }, terminal) => terminal.line(`${library.name} is open (${library.path})`)
  }
})

export const librarySwitch = defineOperation({
  name: 'library.switch',
  summary: 'Use a library by default, opening it if need be',
  input: z.strictObject({ library: z.string() }),
  async run({ peer }, { library }) {
    const { path } = await peer.libraries.switch(library)
    return { library: factsOf(peer, path) }
  },
  command: {
    path: 'library switch',
    arguments: [['<library>', 'name, id or folder']],
    examples: ['spacedrive library switch Photos'],
    input: ({ arguments: [which] }, { cwd }) => ({ library: typedLibrary(String(which), cwd) }),
    render: ({ library }, terminal) => terminal.line(`${library.name} is the current library`)
  }
})

export const libraryClose = defineOperation({
  name: 'library.close',
  summary: 'Close a library, so that its disk can be taken away',
  input: z.strictObject({ library: z.string().optional() }),
  async run({ peer }, { library }) {
    const open = library === undefined ? peer.libraries.current() : peer.libraries.get(library)
    await peer.libraries.close(open.path)
    return { library: factsOf(peer, open.path) }
  },
  command: {
    path: 'library close',
    arguments: [['[library]', 'name, id or folder; the current one when left out']],
    examples: ['spacedrive library close', 'spacedrive library close Photos'],
    input: ({ arguments: [which] }, { cwd }) =>
      which === undefined ? {} : { library: typedLibrary(String(which), cwd) },
    render: ({ library }, terminal) => terminal.line(`${library.name} is closed`)
  }
})
