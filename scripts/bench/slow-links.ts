/** Scenarios over slow links: how much of the link is used, and whether round trips are what is waited for. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Instance, syncBoth } from '../instance.js'
import { type Bench, type BenchContext, type Figures, timed } from './bench.js'
import { type SlowLink, withSlowPair } from './slow-link.js'
import { bytesOf, makeBigFile, makeSmallFiles } from './trees.js'
import { round } from './with-node.js'

const MIB = 2 ** 20
const BIG_BYTES = 128 * MIB
const SMALL_FILES = 5_000
const BITS_PER_SECOND = 100_000_000
const [BITS, MS] = [8, 1_000]

async function copy(a: Instance, b: Instance, source: string, target: string): Promise<number> {
  await b.json('network', 'grant', 'a', target, '--write')
  const asked = { sources: [source], destination: `b:${target}`, into: true, overwrite: 'replace', keep: false }
  return timed(() => a.client.call('file.copy', asked))
}

/** By command, so that looking at both ends and planning are in it. The device there has accepted, and this one knows it. */
async function firstSync(a: Instance, b: Instance, source: string, target: string): Promise<number> {
  const listening = new AbortController()
  const accepted = (await a.client.events(['sync:accepted'], { signal: listening.signal })).next()
  await syncBoth('slow', { device: a, root: source }, { device: b, root: target }, { manual: true })
  await accepted
  listening.abort()
  return timed(async () => {
    const { state } = (await a.client.call('sync.run', { name: 'slow' })) as { state: string }
    if (state !== 'converged') throw new Error(`the first sync ended as ${state}`)
  })
}

/** Of the content alone: names, hashes and what encryption adds are not counted in. */
const shareOf = (bytes: number, ms: number): number => round((bytes * BITS * MS) / BITS_PER_SECOND / ms)

async function measure({ dir, quick, note }: BenchContext, link: SlowLink): Promise<Figures> {
  const [big, small] = [join(dir, 'big'), join(dir, 'small')]
  mkdirSync(big)
  await makeBigFile(join(big, 'file'), quick ? BIG_BYTES / 8 : BIG_BYTES)
  makeSmallFiles(small, quick ? SMALL_FILES / 10 : SMALL_FILES)
  const target = (name: string): string => {
    const path = join(dir, name)
    mkdirSync(path)
    return path
  }
  return withSlowPair(dir, link, async (a, b) => {
    const figures: Figures = { roundTripMs: link.roundTripMs, mbitPerSecond: link.bitsPerSecond / 1e6 }
    for (const [what, work, source] of [
      ['copyBig', copy, big],
      ['copySmall', copy, small],
      ['syncBig', firstSync, big],
      ['syncSmall', firstSync, small]
    ] as const) {
      const ms = await work(a, b, source, target(what))
      figures[`${what}Ms`] = Math.round(ms)
      figures[`${what}Share`] = shareOf(bytesOf(source), ms)
      note(`${what}: ${Math.round(ms)} ms, ${figures[`${what}Share`]} of the link`)
      if (work === firstSync) await a.client.call('sync.remove', { name: 'slow' })
    }
    return figures
  })
}

const scenario = (name: string, what: string, roundTripMs: number): Bench => ({
  name,
  what,
  run: context => measure(context, { bitsPerSecond: BITS_PER_SECOND, roundTripMs })
})

/** They need root, for namespaces. */
export const slowLinkBenches: readonly Bench[] = [
  scenario('slow-rate', 'a large file and many small ones over a link of 100 Mbit/s: share of the link', 0),
  scenario('slow-way', 'the same where a round trip takes 20 ms', 20)
]
