import type { AbortOptions, RelPath } from '../../storage/base/index.js'
import { type Endpoint, type Looked, MAX_LOOKS } from '../endpoints/index.js'

/** What is at each of these paths now, in their order, however many they are. */
export async function lookAtAll(
  endpoint: Pick<Endpoint, 'look'>,
  paths: readonly RelPath[],
  options: AbortOptions
): Promise<readonly Looked[]> {
  const looks: Looked[] = []
  for (let at = 0; at < paths.length; at += MAX_LOOKS)
    looks.push(...(await endpoint.look(paths.slice(at, at + MAX_LOOKS), options)))
  return looks
}
