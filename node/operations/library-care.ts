import { z } from 'zod'
import { displayPath, SpacedriveError } from '../../storage/base/index.js'
import { libraryFacts } from './library-list.js'
import { typedLibrary } from './library-open.js'
import { defineOperation } from './operation.js'

export const libraryDelete = defineOperation({
  name: 'library.delete',
  summary: 'Delete a library; the files it indexes are not touched',
  input: z.strictObject({ library: z.string(), yes: z.boolean().default(false) }),
  async run({ peer }, { library, yes }) {
    if (!yes) {
      throw new SpacedriveError('NOT_CONFIRMED', `the library ${library} was not deleted: that was not confirmed`, {
        hint: 'Say it with --yes. Tags and notes in it would be lost; your files stay.'
      })
    }
    return { library: displayPath(library), left: (await peer.libraries.delete(library)).map(displayPath) }
  },
  command: {
    path: 'library delete',
    arguments: [['<library>', 'name, id or folder']],
    options: [['--yes', 'do not ask']],
    examples: ['spacedrive library delete Old --yes'],
    async input({ arguments: [which], options }, terminal) {
      const library = typedLibrary(String(which), terminal.cwd)
      const question = `Delete the library ${library} with all tags and notes in it (your files stay)?`
      const yes = options.yes === true || (terminal.interactive && (await terminal.confirm(question)))
      return { library, yes }
    },
    render({ library, left }, terminal) {
      terminal.line(`Deleted the library ${library}`)
      if (left.length > 0) terminal.note(`Its folder stays, for it holds other files: ${left.join(', ')}`)
    }
  }
})

export const libraryCheck = defineOperation({
  name: 'library.check',
  summary: 'Look through the whole database of a library',
  input: z.strictObject({ library: z.string().optional(), vacuum: z.boolean().default(false) }),
  async run({ peer }, { library, vacuum }) {
    const open = library === undefined ? peer.libraries.current() : peer.libraries.get(library)
    const report = await open.check()
    if (report.ok) await open.maintain({ vacuum })
    return { library: displayPath(open.name), path: displayPath(open.path), ...report }
  },
  command: {
    path: 'library check',
    arguments: [['[library]', 'name or id; the current one when left out']],
    options: [['--vacuum', 'also give the disk back what the database no longer uses']],
    examples: ['spacedrive library check', 'spacedrive library check Photos --vacuum'],
    input: ({ arguments: [which], options }) => ({
      ...(which === undefined ? {} : { library: String(which) }),
      vacuum: options.vacuum === true
    }),
    render({ library, path, ok, problems }, terminal) {
      if (ok) terminal.line(`${library} is in order`)
      else {
        terminal.line(terminal.color('red', `The database of ${library} is damaged:`))
        for (const problem of problems) terminal.line(`  ${problem}`)
        terminal.line(`Build it anew: spacedrive library rebuild "${path}"`)
      }
    },
    exitCode: ({ ok }) => (ok ? 0 : 3)
  }
})

export const libraryBackup = defineOperation({
  name: 'library.backup',
  summary: 'Put a copy of a library’s database into its backups folder',
  input: z.strictObject({ library: z.string().optional() }),
  async run({ peer }, { library }) {
    const open = library === undefined ? peer.libraries.current() : peer.libraries.get(library)
    return { library: displayPath(open.name), backup: displayPath(await open.backup()) }
  },
  command: {
    path: 'library backup',
    arguments: [['[library]', 'name or id; the current one when left out']],
    examples: ['spacedrive library backup'],
    input: ({ arguments: [which] }) => (which === undefined ? {} : { library: String(which) }),
    render: ({ backup }, terminal) => terminal.line(`Backed up to ${backup}`)
  }
})

export const libraryRebuild = defineOperation({
  name: 'library.rebuild',
  summary: 'Build the database of a damaged library anew, with what can be saved of it',
  input: z.strictObject({ library: z.string(), force: z.boolean().default(false) }),
  async run({ peer }, { library, force }) {
    const open = peer.libraries.opened().find(l => [l.id, l.name, l.path].some(known => known === library))
    if (open !== undefined && !force && (await open.check()).ok) {
      throw new SpacedriveError('IN_ORDER', `${displayPath(open.name)} is in order: there is nothing to build anew`, {
        hint: '--force does it all the same: tags and notes stay, every file is read again.'
      })
    }
    const report = await peer.libraries.rebuild(library)
    const info = libraryFacts(peer.libraries.list().find(l => l.path === report.path)!)
    return { library: info, kept: displayPath(report.kept), saved: report.saved, lost: report.lost }
  },
  command: {
    path: 'library rebuild',
    arguments: [['<library>', 'its folder, name or id']],
    options: [['--force', 'also one in which nothing is wrong']],
    examples: ['spacedrive library rebuild "/mnt/disk/Work.sdlibrary"'],
    input: ({ arguments: [which], options }, { cwd }) => ({
      library: typedLibrary(String(which), cwd),
      force: options.force === true
    }),
    render({ library, kept, saved, lost }, terminal) {
      terminal.line(`${library.name} has a new database; the old one is kept in ${kept}`)
      terminal.line(
        `Saved: ${saved.locations} locations, ${saved.tags} tags, ${saved.metadata} files with notes or tags`
      )
      for (const line of lost) terminal.note(`Lost: ${line}`)
      if (saved.locations > 0) terminal.line('Its locations are indexed again.')
    },
    exitCode: ({ lost }) => (lost.length > 0 ? 3 : 0)
  }
})
