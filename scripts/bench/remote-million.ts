/** A million entries between two paired devices: a first sync, then a look at all of both ends. What both daemons hold at most, and whether they answer meanwhile. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AREA_NAME } from '../../storage/files/index.js'
import { type Instance, syncBoth } from '../instance.js'
import { cpuMsOf } from './at-rest.js'
import { settle } from './baseline.js'
import { type Bench, type BenchContext, type Figures, timed } from './bench.js'
import { withPair } from './pairs.js'
import { heldBy, maxResidentMiB } from './resident.js'
import { countEntries } from './trees.js'

/** A daemon is asked so often whether it is there. */
const ASK_MS = 250

const firstSync = async ({ dir, tree, note }: BenchContext, alike: boolean): Promise<Figures> => {
  const here = await tree('wide')
  const there = join(dir, 'there')
  if (alike) execFileSync('cp', ['-a', here, there])
  else mkdirSync(there)
  // Of a scenario before: a folder is known by it.
  for (const root of [here, there]) rmSync(join(root, AREA_NAME), { recursive: true, force: true })
  settle(dir)
  return withPair(dir, async (a, b) => {
    const pids = await Promise.all([a, b].map(pidOf))
    const idle = heldBy(pids)
    const answers = watchAnswers([a, b])
    const measured = async (what: string, work: () => Promise<unknown>): Promise<Figures> => {
      const before = pids.map(pid => cpuMsOf([pid]))
      const ms = await timed(work)
      const [driverCpuMs, serverCpuMs] = pids.map((pid, i) => cpuMsOf([pid]) - before[i]!)
      const [driver, server] = pids.map(pid => maxResidentMiB(pid))
      note(`${what}: ${Math.round(ms / 1000)} s, at most ${driver} and ${server} MiB`)
      const figures = { Ms: Math.round(ms), DriverCpuMs: driverCpuMs!, ServerCpuMs: serverCpuMs! }
      const most = { MaxDriverMiB: driver!, MaxServerMiB: server! }
      return Object.fromEntries(Object.entries({ ...figures, ...most }).map(([name, n]) => [`${what}${name}`, n]))
    }
    const first = await measured('first', async () => {
      await syncBoth('million', { device: a, root: here }, { device: b, root: there }, { manual: true })
      await converges(a)
    })
    const again = await measured('again', () => converges(a))
    return {
      ...{ entries: countEntries(here), idleMiB: idle.residentMiB },
      ...{ ...first, ...again, longestAnswerMs: await answers.stop() }
    }
  })
}

async function converges({ client }: Instance): Promise<void> {
  const { state } = (await client.call('sync.run', { name: 'million' })) as { state: string }
  if (state !== 'converged') throw new Error(`the run ended as ${state}`)
}

const pidOf = async ({ client }: Instance): Promise<number> =>
  ((await client.call('system.status', {})) as { pid: number }).pid

/** How long an event loop let somebody wait: on a busy machine also for the processor. */
function watchAnswers(devices: readonly Instance[]): { stop(): Promise<number> } {
  let over = false
  const longest = async ({ client }: Instance): Promise<number> => {
    let most = 0
    for (; !over; await sleep(ASK_MS)) most = Math.max(most, await timed(() => client.call('system.status', {})))
    return most
  }
  const watching = Promise.all(devices.map(longest))
  watching.catch(() => {}) // awaited by `stop`
  return {
    async stop() {
      over = true
      return Math.round(Math.max(...(await watching)))
    }
  }
}

const scenario = (name: string, what: string, alike: boolean): Bench => ({
  name,
  what: `1,000,000 entries, ${what}: a first sync with a paired device, and a look at all of it; the most memory of both`,
  long: true,
  run: context => firstSync(context, alike)
})

export const remoteMillionBenches: readonly Bench[] = [
  scenario('remote-million', 'alike at both ends', true),
  scenario('remote-million-new', 'at one end', false)
]
