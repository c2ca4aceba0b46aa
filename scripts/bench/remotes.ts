/**
 * Copies to a paired device by `file copy`: two daemons on loopback, sealed, verified, durable; beside each round the same by
 * `cp -a` and `sync -f`, and by an rsync daemon on loopback (not encrypted) with `sync -f`; afterwards once by syncthing; where they
 * are installed.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, statSync, utimesSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { settle } from './baseline.js'
import { type Bench, type BenchContext, type Figures, median, timed } from './bench.js'
import { syncthingCopyMs } from './beside.js'
import { withPair } from './pairs.js'
import { rsyncDaemon, rsyncFolder } from './rsync.js'
import { countEntries, makeBigFile, makeRealTree, makeSmallFiles, randomBytesFrom } from './trees.js'

const MIB = 2 ** 20
const BIG_BYTES = 1024 * MIB

/** What is copied, and what stands at the destination before. */
interface Work {
  readonly source: string
  readonly replaces?: string
  readonly figures?: Figures
}

/** Of `file.copy`. */
interface Answer {
  readonly result: { readonly sentBytes: number }
}

async function measure(context: BenchContext, { source, replaces, figures }: Work): Promise<Figures> {
  const { dir, quick, note } = context
  const rounds = quick ? 1 : 5
  const [ours, copies, rsyncs]: number[][] = [[], [], []]
  let sentBytes = 0
  const target = join(dir, 'target')
  mkdirSync(target)
  const rsync = await rsyncDaemon(dir)
  /** A fresh folder, with what is replaced in it. */
  const fresh = (path: string): string => {
    mkdirSync(path, { recursive: true })
    if (replaces !== undefined) execFileSync('cp', ['-a', replaces, join(path, 'file')])
    settle(dir)
    return path
  }
  try {
    await withPair(dir, async (a, b) => {
      await b.json('network', 'grant', 'a', target, '--write')
      for (let i = 0; i < rounds; i++) {
        const copy = fresh(join(dir, `copy-${i}`))
        copies!.push(
          await timed(() => {
            execFileSync('cp', ['-a', source, replaces === undefined ? `${copy}/` : join(copy, 'new')])
            settle(dir)
          })
        )
        const into = fresh(join(target, `into-${i}`))
        const asked = { sources: [source], destination: `b:${into}`, into: true, overwrite: 'replace', keep: false }
        ours!.push(
          await timed(async () => {
            const { result } = (await a.client.call('file.copy', asked)) as Answer
            sentBytes = result.sentBytes
          })
        )
        if (rsync !== undefined) {
          fresh(rsyncFolder(dir, `into-${i}`))
          rsyncs!.push(
            await timed(() => {
              rsync.copy(source, `into-${i}`)
              settle(dir)
            })
          )
        }
        const said = [ours, copies, rsyncs].map(times => `${((times!.at(-1) ?? Number.NaN) / 1000).toFixed(2)} s`)
        note(`round ${i + 1}: ${said[0]}, cp -a ${said[1]}, rsync ${said[2]}; ${sentBytes} bytes went over`)
      }
    })
  } finally {
    await rsync?.stop()
  }
  const [ms, baselineMs] = [median(ours!), median(copies!)]
  return {
    ...{ medianMs: Math.round(ms), baselineMs: Math.round(baselineMs) },
    ratio: Number((ms / baselineMs).toFixed(2)),
    rsyncMs: rsync === undefined ? null : Math.round(median(rsyncs!)),
    syncthingMs: await syncthingCopyMs(context, { source, replaces }),
    sentBytes,
    ...figures
  }
}

const scenario = (name: string, what: string, make: (context: BenchContext) => Promise<Work> | Work): Bench => ({
  name,
  what,
  run: async context => measure(context, await make(context))
})

/** One large file, and another version of it. */
async function versions({ dir, quick }: BenchContext, edit: (old: string, source: string) => void): Promise<Work> {
  mkdirSync(join(dir, 'old'))
  mkdirSync(join(dir, 'new'))
  const [old, source] = [join(dir, 'old', 'file'), join(dir, 'new', 'file')]
  await makeBigFile(old, quick ? BIG_BYTES / 16 : BIG_BYTES)
  // Hours apart, so that nobody takes them for the same by size and time.
  utimesSync(old, 1_000_000_000, 1_000_000_000)
  edit(old, source)
  return { source, replaces: old, figures: { bytes: statSync(source).size } }
}

export const remoteBenches: readonly Bench[] = [
  scenario('remote-big', 'one file of 1 GiB copied to a paired device', async ({ dir, quick }) => {
    const source = join(dir, 'big.bin')
    await makeBigFile(source, quick ? BIG_BYTES / 16 : BIG_BYTES)
    return { source, figures: { bytes: statSync(source).size } }
  }),
  scenario('remote-small', '10,000 files of 1 to 16 KiB copied to a paired device', ({ dir, quick }) => {
    const source = join(dir, 'small')
    const files = quick ? 1_000 : 10_000
    makeSmallFiles(source, files)
    return { source, figures: { files } }
  }),
  scenario('remote-tree', 'a copy of /usr/share copied to a paired device', ({ dir, quick }) => {
    const source = join(dir, 'tree')
    if (quick) makeSmallFiles(source, 2_000)
    else makeRealTree(source)
    return { source, figures: { entries: countEntries(source) } }
  }),
  scenario('remote-delta-overwrite', '1 MiB changed inside a file of 1 GiB that the device has', context =>
    versions(context, (old, source) => {
      execFileSync('cp', ['-a', old, source])
      const fd = openSync(source, 'r+')
      writeSync(fd, randomBytesFrom(5)(MIB), 0, MIB, Math.floor(statSync(source).size / 2) + 12_345)
      closeSync(fd)
    })
  ),
  scenario('remote-delta-insert', '1,000 bytes put in at the front of a file of 1 GiB that the device has', context =>
    versions(context, (old, source) => {
      writeFileSync(source, randomBytesFrom(6)(1000))
      execFileSync('sh', ['-c', 'cat "$1" >> "$2"', 'sh', old, source])
    })
  )
]
