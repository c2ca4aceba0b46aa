/** Scenarios of syncs between two folders of this device. */
import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { join } from 'node:path'
import type { SpacedriveNode } from '../../node/index.js'
import { copyBaselineMs, settle } from './baseline.js'
import { type Bench, median, timed } from './bench.js'
import { countEntries } from './trees.js'
import { round, withNode } from './with-node.js'

const ROUNDS = 5

async function run(node: SpacedriveNode, name: string): Promise<void> {
  const { state } = (await node.call('sync.run', { name })) as { state: string }
  if (state !== 'converged' && state !== 'problems') throw new Error(`${name}: ${state}`)
}

const first: Bench = {
  name: 'sync-first',
  what: 'first run of a sync of a real tree to an empty folder, against `cp -a` + `sync -f`',
  async run({ dir, quick, tree }) {
    const source = await tree('real')
    return withNode(dir, async node => {
      const [ours, theirs, cpu]: [number[], number[], number[]] = [[], [], []]
      for (let i = 0; i < (quick ? 1 : ROUNDS); i++) {
        const name = `first-${i}`
        await node.call('sync.add', { name, source, destination: join(dir, name), mode: 'mirror', manual: true })
        settle(dir)
        const before = process.cpuUsage()
        ours.push(await timed(() => run(node, name)))
        const { user, system } = process.cpuUsage(before)
        cpu.push((user + system) / 1000)
        theirs.push(await copyBaselineMs(source, join(dir, `theirs-${i}`)))
      }
      const [ms, baselineMs] = [median(ours), median(theirs)]
      return {
        ...{ entries: countEntries(source), ms: round(ms), cpuMs: round(median(cpu)), baselineMs: round(baselineMs) },
        ...{ ratio: round(ms / baselineMs), cores: cpus().length }
      }
    })
  }
}

const nothing: Bench = {
  name: 'sync-nothing',
  what: '`sync run` with nothing changed, against `find` looking at every entry of both ends',
  async run({ dir, quick, tree }) {
    const source = await tree('real')
    const destination = join(dir, 'copy')
    return withNode(dir, async node => {
      await node.call('sync.add', { name: 'both', source, destination, mode: 'bidirectional', manual: true })
      // The second one compares everything; from then on what changes is known.
      for (let i = 0; i < 2; i++) await run(node, 'both')
      const [ours, theirs, cpu]: [number[], number[], number[]] = [[], [], []]
      for (let i = 0; i < (quick ? 1 : ROUNDS); i++) {
        const before = process.cpuUsage()
        ours.push(await timed(() => run(node, 'both')))
        const { user, system } = process.cpuUsage(before)
        cpu.push((user + system) / 1000)
        theirs.push(
          await timed(() => {
            for (const at of [source, destination])
              execFileSync('find', [at, '-printf', '%s %T@\n'], { stdio: 'ignore' })
          })
        )
      }
      const [ms, baselineMs] = [median(ours), median(theirs)]
      return {
        ...{ entries: countEntries(source), ms: round(ms), cpuMs: round(median(cpu)), baselineMs: round(baselineMs) },
        ratio: round(ms / baselineMs)
      }
    })
  }
}

export const syncBenches: readonly Bench[] = [first, nothing]
