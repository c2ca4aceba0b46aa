import { z } from 'zod'
import { displayPath, SpacedriveError } from '../../storage/base/index.js'
import { defineOperation } from './operation.js'
import { absolutePath, libraryOf, libraryOption, targetAt, targetOf } from './said-input.js'
import { resolveTyped } from './typed-path.js'

export const fileNote = defineOperation({
  name: 'file.note',
  summary: 'Write a note on a file or folder, mark it as a favourite, or hide it from searches',
  input: z.strictObject({
    path: absolutePath,
    notes: z.string().nullable().optional(),
    favorite: z.boolean().optional(),
    hidden: z.boolean().optional(),
    library: z.string().optional()
  }),
  async run({ peer }, { path, library, ...said }) {
    const { annotating } = await import('../../storage/entries/index.js')
    const open = libraryOf(peer, library)
    // What was said outlives a file, and can be taken back when it is gone.
    const takesBack = said.notes == null && said.favorite !== true && said.hidden !== true
    const target = await (takesBack ? targetOf(path) : targetAt(path))
    await open.database.write(annotating.say, { host: open.host, nowMs: peer.clock.nowMs(), target, ...said })
    return { path: displayPath(path), ...said }
  },
  command: {
    path: 'file note',
    arguments: [
      ['<path>', 'file or folder'],
      ['[text]', 'the note']
    ],
    options: [
      ['--clear', 'take the note away'],
      ['--favorite', 'mark it as a favourite'],
      ['--no-favorite', 'no favourite any more'],
      ['--hidden', 'leave it, and all that is in it, out of searches'],
      ['--no-hidden', 'show it again'],
      ['--library <library>', 'another than the current library']
    ],
    examples: [
      'spacedrive file note contract.pdf "signed on Monday"',
      'spacedrive file note song.flac --favorite',
      'spacedrive file note ~/Old --hidden'
    ],
    input({ arguments: [p, text], options: o }, { cwd }) {
      const notes = o.clear === true ? null : text === undefined ? undefined : String(text)
      if (notes === undefined && o.favorite === undefined && o.hidden === undefined)
        throw new SpacedriveError('USAGE', 'nothing to say', {
          hint: 'Give a text, --clear, --favorite or --hidden.'
        })
      return {
        path: resolveTyped(cwd, String(p)),
        ...(notes === undefined ? {} : { notes }),
        ...(o.favorite === undefined ? {} : { favorite: o.favorite === true }),
        ...(o.hidden === undefined ? {} : { hidden: o.hidden === true }),
        ...libraryOption(o)
      }
    },
    render: ({ path }, terminal) => terminal.line(`Noted on ${path}`)
  }
})
