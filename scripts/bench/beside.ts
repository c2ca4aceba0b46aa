/** The same work by other programs, where they are installed: an rsync daemon (not encrypted) and syncthing, all on loopback. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readIf, until } from './at-rest.js'
import { settle } from './baseline.js'
import { type BenchContext, type Figures, median, timed } from './bench.js'
import { rsyncDaemon, rsyncFolder } from './rsync.js'
import { type Syncthing, syncthingPair } from './syncthing.js'
import { round } from './with-node.js'

const ASK_MS = 10
const CHANGES = 5

const filesIn = (dir: string): number =>
  Number(execFileSync('sh', ['-c', 'find "$1" -type f | wc -l', 'sh', dir], { encoding: 'utf8' }))

const copyInto = (source: string, dir: string): void => void execFileSync('cp', ['-a', source, `${dir}/`])

async function stepped(syncthing: Syncthing): Promise<void> {
  const files = filesIn(syncthing.here)
  while (!(await syncthing.inStep(files))) await sleep(ASK_MS)
}

/**
 * How long syncthing takes from when it is told of a folder with `source` in it until the other one has it, durable; once.
 * @param replaces - what both had under that name before
 */
export async function syncthingCopyMs(
  { dir, note }: BenchContext,
  { source, replaces }: { readonly source: string; readonly replaces?: string | undefined }
): Promise<number | null> {
  const syncthing = await syncthingPair(dir)
  if (syncthing === undefined) {
    note('syncthing is not installed')
    return null
  }
  const [here, there] = [syncthing.here, syncthing.there].map(root => join(root, basename(source))) as [string, string]
  const isThere = (): boolean => {
    const [ours, theirs] = [statSync(here), statSync(there, { throwIfNoEntry: false })]
    return ours.isDirectory() || (theirs?.size === ours.size && Math.abs(theirs.mtimeMs - ours.mtimeMs) < 1)
  }
  try {
    if (replaces !== undefined) {
      copyInto(replaces, syncthing.here)
      await syncthing.pause(false)
      await stepped(syncthing)
      await syncthing.pause(true)
    }
    copyInto(source, syncthing.here)
    settle(dir)
    const ms = await timed(async () => {
      await syncthing.pause(false)
      for (await stepped(syncthing); !isThere(); await stepped(syncthing));
      settle(dir)
    })
    note(`syncthing ${(ms / 1000).toFixed(2)} s`)
    return Math.round(ms)
  } finally {
    await syncthing.stop()
  }
}

/** Something is changed in a folder that is in step, so that it can be seen at the other end. */
interface Change {
  readonly name: string
  make(root: string): void
  isMade(root: string): boolean
}

/** One small file, several times; each time a byte longer, since rsync looks at whole seconds and sizes. */
export const smallChanges = (path: string): Change[] =>
  Array.from({ length: CHANGES }, (_, i) => {
    const text = '-'.repeat(100 + i)
    return {
      name: 'Change',
      make: root => writeFileSync(join(root, path), text),
      isMade: root => readIf(join(root, path)) === text
    }
  })

export const renames = (what: string, from: string, to: string): Change => ({
  name: what,
  make: root => renameSync(join(root, from), join(root, to)),
  isMade: root => existsSync(join(root, to)) && !existsSync(join(root, from))
})

/** Changes in a folder that is in step, by both programs: syncthing by itself, rsync when it is called (`rsync -a --delete`). */
export async function changesBeside(
  context: BenchContext,
  source: string,
  changes: readonly Change[]
): Promise<Figures> {
  const { dir, note } = context
  const times: Record<string, number[]> = {}
  const took = (by: string, { name }: Change, ms: number): void => {
    times[`${by}${name}Ms`] = [...(times[`${by}${name}Ms`] ?? []), ms]
  }
  const rsync = await rsyncDaemon(dir)
  if (rsync === undefined) note('rsync is not installed')
  else {
    const here = join(dir, 'rsync-here')
    cpSync(source, here, { recursive: true, preserveTimestamps: true })
    rsync.mirror(here, 'there')
    settle(dir)
    for (const change of changes) {
      change.make(here)
      took('rsync', change, await timed(() => rsync.mirror(here, 'there')))
      if (!change.isMade(rsyncFolder(dir, 'there'))) throw new Error(`rsync: ${change.name} did not arrive`)
    }
    await rsync.stop()
  }
  const syncthing = await syncthingPair(dir)
  if (syncthing === undefined) note('syncthing is not installed')
  else {
    try {
      execFileSync('cp', ['-a', `${source}/.`, `${syncthing.here}/`])
      await syncthing.pause(false)
      await stepped(syncthing)
      for (const change of changes) {
        const { here, there } = syncthing
        took(
          'syncthing',
          change,
          await until(
            () => change.make(here),
            () => change.isMade(there)
          )
        )
        await stepped(syncthing)
      }
    } finally {
      await syncthing.stop()
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, round(median(all))]))
}
