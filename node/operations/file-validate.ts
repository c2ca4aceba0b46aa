import { z } from 'zod'
import { type ProgressFields, SpacedriveError } from '../../storage/base/index.js'
import type { Validated } from '../../sync/operations/index.js'
import { onOneDevice } from './delete-way.js'
import { namedPathText, placesOf, typedNamedPaths } from './device-path.js'
import { endOfJob, type FileJobEnd, showBegun, showJobProblems } from './file-job.js'
import { counted } from './file-text.js'
import { formatBytes } from './format.js'
import { jobGoesOn } from './job-wait.js'
import { defineOperation } from './operation.js'
import { progressLine } from './progress.js'

const input = z.strictObject({
  /** Nothing named: every location that is here. */
  paths: z.array(namedPathText).max(10_000).default([]),
  wait: z.boolean().default(true)
})

export const fileValidate = defineOperation<
  'file.validate',
  typeof input,
  { job: string; ended: FileJobEnd<Validated> | null },
  ProgressFields
>({
  name: 'file.validate',
  summary: 'Read files again and compare them with their recorded hash: finds silent corruption',
  input,
  async run(context, { paths, wait }) {
    const { peer } = context
    const roots = paths.length > 0 ? paths : (await peer.locations.list()).map(l => l.path)
    if (roots.length === 0) {
      throw new SpacedriveError('USAGE', 'nothing to validate: there is no location', {
        hint: 'Add one, so that hashes are recorded: spacedrive location add PATH'
      })
    }
    const { device, paths: named } = onOneDevice(placesOf(peer, roots))
    const job = await (device === null
      ? peer.operations.validate(named)
      : peer.far.validate(device, named, { signal: context.signal }))
    return { job, ended: wait ? await endOfJob<Validated>(context, job) : null }
  },
  command: {
    path: 'file validate',
    arguments: [['[paths...]', 'files and folders, here or DEVICE:/path; without any, all locations']],
    options: [['--no-wait', 'leave it to the daemon']],
    examples: [
      'spacedrive file validate ~/Pictures',
      'spacedrive file validate --no-wait',
      'spacedrive file validate laptop:/home/ada/Pictures'
    ],
    input: ({ arguments: [paths], options: o }, terminal) => ({
      paths: typedNamedPaths(paths, terminal.cwd),
      wait: o.wait !== false
    }),
    left: jobGoesOn,
    progress: (value, terminal) => terminal.status(progressLine(value, terminal)),
    render({ job, ended }, terminal) {
      if (ended === null) {
        showBegun('Files are read again', job, terminal)
        return
      }
      const { whole, corrupt, changed, unreadable, unrecorded, bytes } = ended.output
      terminal.line(`${counted(whole, 'file is', 'files are')} as recorded (${formatBytes(bytes)} read).`)
      if (corrupt > 0) {
        const text = `${counted(corrupt, 'file holds', 'files hold')} other bytes than recorded, and nobody edited them.`
        terminal.line(terminal.color('red', text))
        terminal.note('Bring them back from a copy, and check the disk.')
      }
      if (unreadable > 0) terminal.line(terminal.color('red', `${counted(unreadable, 'file')} could not be read.`))
      if (changed > 0) terminal.note(`${counted(changed, 'file was', 'files were')} edited since they were hashed.`)
      if (unrecorded > 0) {
        terminal.note(`Of ${counted(unrecorded, 'file')} no hash is recorded: they are in no location that is hashed.`)
      }
      showJobProblems(ended, terminal)
    },
    exitCode: ({ ended }) => ((ended?.problemCount ?? 0) > 0 ? 3 : 0)
  }
})
