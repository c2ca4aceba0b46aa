import { joinRel, type RelPath } from '../../storage/base/index.js'
import type { FileRoot } from '../../storage/files/index.js'
import { type DestinationCounts, type DestinationIndex, destinationIndex } from '../analysis/index.js'
import { openLocalEndpoint } from '../endpoints/index.js'
import { type DecideRules, decide } from './decide.js'
import type { Tree } from './layout.js'
import { type FoundGroup, type FoundPage, KINDS } from './pages.js'
import type { CopyComponents } from './ports.js'
import { renamed } from './renamed.js'

/** What stands at the destination, indexed in the background: what is there already needs no look of its own. */
export interface Standing {
  /** What is left of pages when the files that are known to be there already, with the same content, are taken out. */
  rest(pages: AsyncIterable<FoundPage>): AsyncGenerator<FoundPage>
  /** Ends an indexing whose answer nobody needs any more. */
  close(): Promise<void>
}

export interface StandingInit {
  readonly components: CopyComponents
  readonly root: FileRoot
  readonly tree: Tree
  readonly rules: DecideRules
  readonly signal: AbortSignal
  /** Of the indexing. */
  analysed(path: RelPath, counts: DestinationCounts): void
  /** Files that are there already. */
  same(files: number, bytes: number): void
}

/**
 * Where it pays: each look costs a round trip on network file systems and those of user space, and a listing brings many at
 * once. On a disk of this device a look costs less than what it takes to remember the answer (docs/decisions/102).
 */
export function paysToIndex({ fileSystem, network }: { fileSystem: string; network: boolean }): boolean {
  return network || fileSystem.startsWith('fuse')
}

/** Phase 0 of a copy. undefined: looks at the destination are cheap, or nothing stands there. */
export async function openStanding(init: StandingInit): Promise<Standing | undefined> {
  const { components, root, tree, signal } = init
  const volume = await components.volumes.volumeOf(root.path)
  const pays = components.indexDestination ?? (volume !== undefined && paysToIndex(volume))
  if (!pays) return undefined
  const endpoint = await openLocalEndpoint({ ...components, path: root.path }, { signal })
  const roots = tree.names.map(name => renamed(tree.renames, name as RelPath))
  const index = destinationIndex({
    ...{ endpoint, roots, random: components.random, signal },
    onFound: init.analysed
  })
  return {
    rest: pages => rest(pages, index, init),
    async close() {
      await index.stop()
      await endpoint.close()
    }
  }
}

async function* rest(
  pages: AsyncIterable<FoundPage>,
  index: DestinationIndex,
  init: StandingInit
): AsyncGenerator<FoundPage> {
  for await (const page of pages) {
    // What an index told of a source is looked at when it is taken; further names of a file are links of the first.
    const left = page.known === true || page.links ? page : restOf(page, index, init)
    if (left.groups.length > 0 || left.problems.length > 0 || left.links) yield left
  }
}

function restOf(page: FoundPage, index: DestinationIndex, { tree, rules, same }: StandingInit): FoundPage {
  let files = 0
  let bytes = 0
  const groups: FoundGroup[] = []
  for (const group of page.groups) {
    const names = group.names.split('/')
    const left = names.flatMap((name, i) => {
      const there = index.known(renamed(tree.renames, joinRel(group.dir, name)))?.standing
      const source = { kind: KINDS[group.kinds[i]!]!, sizeBytes: group.sizes[i]!, mtimeNs: group.mtimesNs[i]! }
      if (source.kind !== 'file' || there?.kind !== 'file') return [i]
      const decision = decide({ ...source, mode: group.modes[i]! }, there, rules)
      if (decision.do !== 'same' || decision.attributes) return [i]
      files++
      bytes += source.sizeBytes
      return []
    })
    if (left.length === names.length) groups.push(group)
    else if (left.length > 0) groups.push(some(group, names, left))
  }
  if (files === 0) return page
  bytes = Math.min(bytes, page.bytes)
  same(files, bytes)
  return { ...page, groups, files: page.files - files, bytes: page.bytes - bytes }
}

function some(group: FoundGroup, names: readonly string[], left: readonly number[]): FoundGroup {
  return {
    dir: group.dir,
    names: left.map(i => names[i]).join('/'),
    kinds: Uint8Array.from(left, i => group.kinds[i]!),
    sizes: Float64Array.from(left, i => group.sizes[i]!),
    mtimesNs: BigInt64Array.from(left, i => group.mtimesNs[i]!),
    modes: Uint16Array.from(left, i => group.modes[i]!)
  }
}
