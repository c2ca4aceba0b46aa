/** Two daemons on loopback, sealed, verified, durable; beside each the same bytes by `cp -a` and `sync -f`. */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Instance } from '../instance.js'
import { copyBaselineMs, settle } from './baseline.js'
import { type Bench, type BenchContext, type Figures, median, timed } from './bench.js'
import { withPair } from './pairs.js'
import { countEntries, makeBigFile, makeRealTree, makeSmallFiles } from './trees.js'

const MIB = 2 ** 20
const BIG_BYTES = 1024 * MIB
const SMALL_FILES = 10_000

/**
 * Offered and accepted by hand with its links, as a person would: those are never taken unasked. The offer is waited for by its
 * event: commands that ask for it again and again would take the processor from what is measured.
 */
async function dropWithLinks(a: Instance, b: Instance, source: string, into: string): Promise<void> {
  const listening = new AbortController()
  const events = await b.client.events(['offer:received'], { signal: listening.signal })
  const sending = a.follow(['network', 'spacedrop', 'b', source], () => {})
  const { value: received } = (await events.next()) as { value: { offer: string } }
  listening.abort()
  await b.json('network', 'accept', received.offer, '--to', into, '--links', '--exec')
  const code = await sending.ended
  if (code !== 0) throw new Error(`the drop ended with exit code ${code}`)
}

async function drop({ dir, quick, note }: BenchContext, source: string, links = false): Promise<Figures> {
  const rounds = quick ? 1 : 5
  const times: number[] = []
  const copies: number[] = []
  await withPair(dir, async (a, b) => {
    for (let i = 0; i < rounds; i++) {
      const into = join(dir, `into-${i}`)
      mkdirSync(into)
      if (!links) await b.json('network', 'rules', 'a', '--mode', 'always', '--to', into)
      copies.push(await copyBaselineMs(source, join(dir, `copy-${i}`)))
      settle(dir)
      times.push(
        await timed(() => (links ? dropWithLinks(a, b, source, into) : a.json('network', 'spacedrop', 'b', source)))
      )
      note(`round ${i + 1}: ${(times.at(-1)! / 1000).toFixed(2)} s, cp -a ${(copies.at(-1)! / 1000).toFixed(2)} s`)
    }
  })
  const ms = median(times)
  const baselineMs = median(copies)
  return { medianMs: Math.round(ms), baselineMs: Math.round(baselineMs), ratio: Number((ms / baselineMs).toFixed(2)) }
}

export const dropBig: Bench = {
  name: 'drop-big',
  what: 'one file of 1 GiB to a paired device',
  async run(context) {
    const bytes = context.quick ? BIG_BYTES / 16 : BIG_BYTES
    const file = join(context.dir, 'big.bin')
    await makeBigFile(file, bytes)
    const figures = await drop(context, file)
    return {
      ...figures,
      bytes,
      mibPerSecond: Math.round(statSync(file).size / MIB / (Number(figures.medianMs) / 1000))
    }
  }
}

export const dropSmall: Bench = {
  name: 'drop-small',
  what: '10,000 files of 1 to 16 KiB to a paired device',
  async run(context) {
    const files = context.quick ? SMALL_FILES / 10 : SMALL_FILES
    const folder = join(context.dir, 'small')
    makeSmallFiles(folder, files)
    return { ...(await drop(context, folder)), files }
  }
}

export const dropTree: Bench = {
  name: 'drop-tree',
  what: 'a copy of /usr/share to a paired device',
  async run(context) {
    const folder = join(context.dir, 'share')
    makeRealTree(folder)
    return { ...(await drop(context, folder, true)), entries: countEntries(folder) }
  }
}

export const pairing: Bench = {
  name: 'pair',
  what: 'from `join` to paired, on loopback by address',
  async run({ dir, quick }) {
    const times: number[] = []
    for (let i = 0; i < (quick ? 1 : 5); i++) {
      times.push(await withPair(join(dir, String(i)), async (_a, _b, joinMs) => joinMs))
    }
    return { medianMs: Math.round(median(times)) }
  }
}

/** What the other one sees: the time between a device's network coming up, or its `start`, and its being connected. */
export const connecting: Bench = {
  name: 'connect',
  what: 'a paired device that appears is connected: its network is switched on; its daemon is started',
  async run({ dir, quick }) {
    const appeared: number[] = []
    const started: number[] = []
    await withPair(dir, async (a, b) => {
      const stop = new AbortController()
      const connected = await a.client.events(['device:connected'], { signal: stop.signal })
      for (let i = 0; i < (quick ? 1 : 5); i++) {
        b.stopNow()
        started.push(await timed(() => Promise.all([b.start(), connected.next()])))
        await b.client.call('network.stop', {})
        appeared.push(await timed(() => Promise.all([b.client.call('network.start', {}), connected.next()])))
      }
      stop.abort()
    })
    return { connectMs: Math.round(median(appeared)), fromStartMs: Math.round(median(started)) }
  }
}
