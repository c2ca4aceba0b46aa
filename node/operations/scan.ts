import { z } from 'zod'
import { hasCode, type LocationId, type SpacedriveError } from '../../storage/base/index.js'
import { jobGoesOn, waitForJob } from './job-wait.js'
import { locationAdd } from './location-add.js'
import { MODE_NAMES } from './location-input.js'
import { locationFacts } from './location-text.js'
import { defineOperation, type OperationContext } from './operation.js'

/**
 * `location add` for a single look: adds the folder, waits until it is indexed, and watches it only when asked to. A folder that
 * is a location already is looked at anew.
 */
export const scan = defineOperation({
  name: 'scan',
  summary: 'Index a folder once and wait for it',
  input: z.strictObject({
    path: z.string().startsWith('/', 'expected an absolute path'),
    library: z.string().optional(),
    mode: z.enum(MODE_NAMES).optional(),
    watch: z.boolean().default(false)
  }),
  async run(context, input) {
    try {
      return await locationAdd.run(context, { ...input, wait: true })
    } catch (err) {
      if (!hasCode(err, 'LOCATION_EXISTS')) throw err
      return lookAgain(context, input, (err as SpacedriveError).details as { location: LocationId })
    }
  },
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
    left: jobGoesOn,
    progress: locationAdd.command!.progress!,
    render: locationAdd.command!.render,
    exitCode: locationAdd.command!.exitCode!
  }
})

/** Mode and watching change only when they were asked for. */
async function lookAgain(
  { peer, emit, signal }: OperationContext,
  { mode, watch }: { mode?: (typeof MODE_NAMES)[number] | undefined; watch: boolean },
  { location: id }: { location: LocationId }
) {
  const changes = { ...(mode === undefined ? {} : { mode }), ...(watch ? { watch } : {}) }
  const job = (await peer.locations.update(id, changes)).job ?? (await peer.locations.rescan(id))
  const ended = await waitForJob(peer, job, emit, signal)
  return { location: locationFacts(await peer.locations.info(id)), job, ended }
}
