import { execFile } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { fsPath } from '../base/index.js'

/** After this a server counts as away. A dead network drive must not hold up the list of the others. */
const TIMEOUT_MS = 2_000

export interface Space {
  readonly totalBytes: number
  readonly availableBytes: number
}

/** Of a local file system; undefined when it does not answer. */
export async function localSpace(path: string): Promise<Space | undefined> {
  try {
    const s = await statfs(fsPath(path))
    return { totalBytes: s.blocks * s.bsize, availableBytes: s.bavail * s.bsize }
  } catch {
    return undefined
  }
}

/**
 * Of a network drive, asked by a process of its own: a system call that hangs on a server that is away would keep one of the
 * four threads that all file work of this process shares, for as long as the server is away.
 * @returns undefined when it did not answer in time
 */
export function foreignSpace(path: string): Promise<Space | undefined> {
  const text = fsPath(path)
  // Arguments of a process are text in Node: a mount point that is not UTF-8 is asked the ordinary way.
  if (typeof text !== 'string') return localSpace(path)
  const [command, args] =
    process.platform === 'linux' ? ['stat', ['-f', '-c', '%S %b %a', '--', text]] : ['df', ['-k', text]]
  return new Promise(resolve => {
    const child = execFile(
      command as string,
      args as string[],
      { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' },
      (err, out) => {
        clearTimeout(late)
        resolve(err === null ? parseSpace(out) : undefined)
      }
    )
    // A process that hangs in the kernel does not end when killed; nobody waits for it.
    const late = setTimeout(() => {
      child.unref()
      child.stdout?.destroy()
      child.stderr?.destroy()
      resolve(undefined)
    }, TIMEOUT_MS + 100)
  })
}

/** `BLOCKSIZE BLOCKS AVAILABLE` of GNU stat, or the table of `df -k`. */
export function parseSpace(out: string): Space | undefined {
  const stat = /^(\d+) (\d+) (\d+)\s*$/.exec(out)
  if (stat !== null) return space(Number(stat[1]), Number(stat[2]), Number(stat[3]))
  const df = /^.+?\s+(\d+)\s+\d+\s+(\d+)\s+\d+%/m.exec(out.split('\n').slice(1).join('\n'))
  return df === null ? undefined : space(1024, Number(df[1]), Number(df[2]))
}

const space = (unit: number, blocks: number, available: number): Space => ({
  totalBytes: blocks * unit,
  availableBytes: available * unit
})
