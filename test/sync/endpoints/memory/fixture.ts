import type { Endpoint } from '../../../../sync/endpoints/index.js'
import type { EndpointFixture } from '../endpoint-suite.js'
import { treeBehind } from './behind.js'
import { MemoryEndpoint } from './memory-endpoint.js'
import { MemoryTree } from './tree.js'

/** An endpoint on an empty tree in memory. */
export async function memoryFixture(): Promise<EndpointFixture> {
  const tree = new MemoryTree()
  const ours: string[] = []
  const endpoints: Endpoint[] = []
  const open = async (): Promise<Endpoint> => {
    const endpoint = new MemoryEndpoint(tree, { ours })
    endpoints.push(endpoint)
    return endpoint
  }
  return {
    endpoint: await open(),
    tree: treeBehind(tree),
    reopen: open,
    ours: path => void ours.push(path),
    async close() {
      for (const endpoint of endpoints) await endpoint.close()
    }
  }
}
