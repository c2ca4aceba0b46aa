/** Scenario of a sync that runs by itself: how soon one change, and one rename of a large folder, are at the other end. */
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNode } from '../../node/index.js'
import { readIf, rested, until, writeDurably } from './at-rest.js'
import { settle } from './baseline.js'
import { type Bench, median, percentile, timed } from './bench.js'
import { makeFolders } from './trees.js'

const CHANGES = 50
const FOLDERS = 50
const FILES = 1_000
const IDLE_MS = 4_000
const round = (value: number): number => Number(value.toFixed(1))

export const syncOne: Bench = {
  name: 'sync-one',
  what: 'in the background: one changed file of 100 bytes, a renamed folder of 50,000 files; against the same write made durable',
  async run({ dir, quick, note }) {
    const [source, destination] = [join(dir, 'one'), join(dir, 'other')]
    const perFolder = quick ? 20 : FILES
    makeFolders(join(source, 'folder'), FOLDERS, perFolder)
    settle(dir)
    const node = await createNode({ dataDir: join(dir, 'data'), network: { enabled: false } })
    await node.start()
    // Nothing of a node keeps a process alive.
    const alive = setInterval(() => {}, 1_000)
    try {
      const inStep = new Promise<void>(resolve => {
        node.events.on('sync:finished', e => {
          if (e.state === 'converged') resolve()
        })
      })
      await node.call('sync.add', { name: 'one', source, destination, mode: 'bidirectional' })
      await inStep
      note('in step')
      await sleep(1_000)
      const [ours, theirs]: [number[], number[]] = [[], []]
      const before = process.cpuUsage()
      for (let i = 0; i < (quick ? 10 : CHANGES); i++) {
        const [from, to] = i % 2 === 0 ? [source, destination] : [destination, source]
        const path = `folder/d${i % FOLDERS}/changed`
        const text = String(i).padEnd(100, '.')
        ours.push(
          await until(
            () => writeFileSync(join(from, path), text),
            () => readIf(join(to, path)) === text
          )
        )
        theirs.push(await timed(() => writeDurably(join(dir, `theirs-${i}`), text)))
        await sleep(100)
      }
      const cpuMs = cpuSince(before)
      await rested(usedMs)
      note('at rest')
      const idle = process.cpuUsage()
      await sleep(IDLE_MS)
      const idleMs = cpuSince(idle)
      const moved = new Promise<number>(resolve => {
        node.events.on('sync:finished', e => resolve(e.operations))
      })
      const renaming = process.cpuUsage()
      const renameMs = await until(
        () => renameSync(join(source, 'folder'), join(source, 'renamed')),
        () => existsSync(join(destination, 'renamed')) && !existsSync(join(destination, 'folder'))
      )
      const renameOperations = await moved
      const renameCpuMs = cpuSince(renaming)
      // What it looks for after a rename: edits in the folder that were made meanwhile.
      await rested(usedMs)
      return {
        ...{ files: FOLDERS * perFolder, changes: ours.length },
        ...{ p50Ms: round(median(ours)), p95Ms: round(percentile(ours, 95)) },
        ...{ cpuMsEach: round(cpuMs / ours.length), baselineMs: round(median(theirs)) },
        ...{ ratio: round(median(ours) / median(theirs)), renameMs: round(renameMs), renameOperations },
        ...{ renameCpuMs: round(renameCpuMs), afterRenameCpuMs: round(cpuSince(renaming) - renameCpuMs) },
        idleCpuMsPerSecond: round(idleMs / (IDLE_MS / 1_000))
      }
    } finally {
      clearInterval(alive)
      await node.stop()
    }
  }
}

const usedMs = (): number => cpuSince({ user: 0, system: 0 })

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}
