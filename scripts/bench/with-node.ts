import { join } from 'node:path'
import { createNode, type SpacedriveNode } from '../../node/index.js'

/** A node without networking for one measurement, its data below `dir`; stopped whatever comes of it. */
export async function withNode<T>(dir: string, work: (node: SpacedriveNode) => Promise<T>): Promise<T> {
  const node = await createNode({ dataDir: join(dir, 'data'), network: { enabled: false } })
  await node.start()
  try {
    return await work(node)
  } finally {
    await node.stop()
  }
}

export const round = (value: number, digits = 2): number => Number(value.toFixed(digits))
