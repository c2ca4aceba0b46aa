import type { AbortOptions, ContentHash, DeviceId, JobId, Startable } from '../../../storage/base/index.js'
import type { JobManager } from '../../../storage/jobs/index.js'
import type { Preview, PreviewTold } from '../preview.js'
import { isAway } from './away.js'
import { findContent } from './content.js'
import type { Place, RemoteCopyInput } from './input.js'
import { remoteCopyJob } from './job.js'
import { layOutRemote } from './layout.js'
import { withOpenEnds } from './open-ends.js'
import type { RemoteCopyComponents } from './ports.js'
import { previewRemoteCopy } from './preview.js'
import { Waits } from './waits.js'

/** Copies and moves between this device and others. One for a daemon; conflicts and answers are those of `Copies`. */
export interface RemoteCopies extends Startable {
  /**
   * Whether it can be begun; changes nothing. Where a device is away that is left to the job, which waits for it.
   * @throws what `layOutRemote` throws
   */
  check(input: RemoteCopyInput, options?: AbortOptions): Promise<void>
  /** Exactly what would be done now. @throws DEVICE_AWAY */
  preview(input: RemoteCopyInput, told: PreviewTold): Promise<Preview>
  begin(input: RemoteCopyInput): Promise<JobId>
  /** See `findContent`. */
  locate(hash: ContentHash, options?: AbortOptions): Promise<Place>
  /** The devices that a job rests for. */
  waitsFor(job: JobId): readonly DeviceId[]
  /** For other jobs that need a device. */
  readonly waits: Waits
}

export function remoteCopies(components: RemoteCopyComponents, jobs: JobManager): RemoteCopies {
  const waits = new Waits(components, jobs)
  const job = remoteCopyJob(components, waits)
  jobs.register(job)
  return {
    start: () => waits.start(),
    stop: () => waits.stop(),
    async check(input, options) {
      await withOpenEnds(components.ends, ends => layOutRemote(ends, input, options)).catch(err => {
        if (!isAway(err)) throw err
      })
    },
    preview: (input, told) => previewRemoteCopy(components.ends, input, told),
    locate: (hash, options) => findContent(components, hash, options),
    waits,
    waitsFor: id => waits.devicesOf(id),
    begin: async input => (await jobs.dispatch(job, input)).id
  }
}
