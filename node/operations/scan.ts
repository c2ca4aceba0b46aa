import { z } from 'zod'
import { locationAdd } from './location-add.js'
import { MODE_NAMES } from './location-input.js'
import { defineOperation } from './operation.js'

/** `location add` for a single look: adds the folder, waits until it is indexed, and watches it only when asked to. */
export const scan = defineOperation({
  name: 'scan',
  summary: 'Index a folder once and wait for it',
  input: z.strictObject({
    path: z.string().startsWith('/', 'expected an absolute path'),
    library: z.string().optional(),
    mode: z.enum(MODE_NAMES).optional(),
    watch: z.boolean().default(false)
  }),
  run: (context, input) => locationAdd.run(context, { ...input, wait: true }),
  command: {
    path: 'scan',
    arguments: [['<path>', 'the folder']],
    options: [
      ['--library <library>', 'id or name of an open library (the current one)'],
      ['--mode <mode>', 'shallow, content or deep (content)'],
      ['--watch', 'watch it from then on']
    ],
    examples: ['spacedrive scan /media/archive --mode shallow', 'spacedrive scan ~/Photos --watch'],
    async input(typed, terminal) {
      const { path, library, mode } = await locationAdd.command!.input(typed, terminal)
      return { path, library, mode, watch: typed.options.watch === true }
    },
    progress: locationAdd.command!.progress!,
    render: locationAdd.command!.render,
    exitCode: locationAdd.command!.exitCode!
  }
})
