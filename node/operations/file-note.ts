import { resolve } from 'node:path'
import { z } from 'zod'
import { displayPath, SpacedriveError } from '../../storage/base/index.js'
import { defineOperation } from './operation.js'
import { absolutePath, libraryOf, libraryOption, targetAt } from './said-input.js'

export const fileNote = defineOperation({
  name: 'file.note',
  summary: 'Write a note on a file or folder, or mark it as a favourite',
  input: z.strictObject({
    path: absolutePath,
    notes: z.string().nullable().optional(),
    favorite: z.boolean().optional(),
    library: z.string().optional()
  }),
  async run({ peer }, { path, notes, favorite, library }) {
    const { annotating } = await import('../../storage/entries/index.js')
    const open = libraryOf(peer, library)
    const said = { ...(notes === undefined ? {} : { notes }), ...(favorite === undefined ? {} : { favorite }) }
    const target = await targetAt(path)
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
      ['--library <library>', 'another than the current library']
    ],
    examples: ['spacedrive file note contract.pdf "signed on Monday"', 'spacedrive file note song.flac --favorite'],
    input({ arguments: [p, text], options: o }, { cwd }) {
      const notes = o.clear === true ? null : text === undefined ? undefined : String(text)
      if (notes === undefined && o.favorite === undefined)
        throw new SpacedriveError('USAGE', 'nothing to say', {
          hint: 'Give a text, --clear, --favorite or --no-favorite.'
        })
      return {
        path: resolve(cwd, String(p)),
        ...(notes === undefined ? {} : { notes }),
        ...(o.favorite === undefined ? {} : { favorite: o.favorite === true }),
        ...libraryOption(o)
      }
    },
    render: ({ path }, terminal) => terminal.line(`Noted on ${path}`)
  }
})
