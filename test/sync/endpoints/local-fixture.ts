import { mkdirSync } from 'node:fs'
import type { AbsPath, WorkerPool } from '../../../storage/base/index.js'
import { type Files, openFiles, ownerTag } from '../../../storage/files/index.js'
import { type Volumes, volumes } from '../../../storage/volumes/index.js'
import { type Endpoint, type LocalEndpointInit, openLocalEndpoint } from '../../../sync/endpoints/index.js'
import { sharedPool } from '../../shared-pool.js'
import { openTrash, type TrashFixture } from '../../storage/trash/fixture.js'
import { tempDir } from '../../temp.js'
import type { EndpointFixture } from './endpoint-suite.js'
import { folder } from './folder.js'

/** What local endpoints stand on, opened once for many tests. */
export interface LocalParts {
  readonly init: LocalEndpointInit
  readonly ours: string[]
  readonly trash: TrashFixture
  open(path: AbsPath): Promise<Endpoint>
  close(): Promise<void>
}

export async function localParts(): Promise<LocalParts> {
  const trash = await openTrash()
  const pool: WorkerPool = sharedPool()
  const files: Files = openFiles({ pool, owner: ownerTag('endpoints') })
  const ours: string[] = []
  const disks: Pick<Volumes, 'volumeOf'> = volumes({ pool, database: trash.db } as never)
  const init: LocalEndpointInit = { pool, files, volumes: disks, trash: trash.trash, ours: () => ours }
  return {
    init,
    ours,
    trash,
    open: path => openLocalEndpoint({ ...init, path }),
    async close() {
      await files.close()
      await pool.close()
      await trash.close()
    }
  }
}

/** A local endpoint on a fresh folder. */
export async function localFixture(parts: LocalParts): Promise<EndpointFixture> {
  const temp = tempDir()
  const root = `${temp.path}/root` as AbsPath
  mkdirSync(root)
  const endpoints: Endpoint[] = []
  const open = async (): Promise<Endpoint> => {
    const endpoint = await parts.open(root)
    endpoints.push(endpoint)
    return endpoint
  }
  return {
    endpoint: await open(),
    tree: folder(root),
    reopen: open,
    ours: path => void parts.ours.push(`${root}/${path}`),
    async close() {
      for (const endpoint of endpoints) await endpoint.close()
      parts.ours.length = 0
      temp.clean()
    }
  }
}
