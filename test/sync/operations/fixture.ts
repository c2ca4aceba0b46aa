import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Peer } from '../../../node/compose.js'
import type { JobId } from '../../../storage/base/index.js'
import type { JobInfo } from '../../../storage/jobs/index.js'
import { testPeer } from '../../node/peer.js'
import { tempDir } from '../../temp.js'

/** A whole peer in this process, and a folder to work in. */
export interface OperationsFixture {
  readonly peer: Peer
  readonly dir: string
  at(path: string): string
  write(tree: Readonly<Record<string, string | Buffer>>): void
  /** Waits for a job. */
  ended(job: JobId): Promise<JobInfo>
  close(): Promise<void>
}

export async function openOperations(): Promise<OperationsFixture> {
  const temp = tempDir()
  const dir = join(temp.path, 'files')
  mkdirSync(dir)
  mkdirSync(join(temp.path, 'data'))
  const peer = await testPeer(join(temp.path, 'data') as never)
  await peer.start()
  const at = (path: string): string => join(dir, path)
  return {
    peer,
    dir,
    at,
    write(tree) {
      for (const [path, content] of Object.entries(tree)) {
        mkdirSync(dirname(at(path)), { recursive: true })
        writeFileSync(at(path), content)
      }
    },
    async ended(job) {
      await peer.jobs.outcome(job)
      return peer.jobs.info(job)
    },
    async close() {
      await peer.stop()
      temp.clean()
    }
  }
}
