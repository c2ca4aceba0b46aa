import { join } from 'node:path'
import { Instance, pair } from '../instance.js'
import { atEnd } from './ending.js'

/** Two daemons on loopback, paired, for one measurement; stopped whatever comes of it. */
export async function withPair<T>(
  dir: string,
  body: (a: Instance, b: Instance, joinMs: number) => Promise<T>
): Promise<T> {
  const a = new Instance('a', join(dir, 'data'))
  const b = new Instance('b', join(dir, 'data'))
  const end = atEnd(async () => void (await Promise.all([a.end(), b.end()])))
  try {
    await a.start()
    await b.start()
    const { joinMs } = await pair(a, b)
    return await body(a, b, joinMs)
  } finally {
    await end()
  }
}
