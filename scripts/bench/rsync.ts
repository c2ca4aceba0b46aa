import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { atEnd } from './ending.js'

/** An rsync daemon on loopback, not encrypted, for the same work beside ours. */
export interface Rsync {
  /** Copies what lies at `source` into a folder below `dir`. */
  copy(source: string, into: string): void
  /** Makes a folder below `dir` what another one is. */
  mirror(source: string, into: string): void
  stop(): Promise<void>
}

/** undefined where the program is not installed. @param dir - the folder that it serves */
export async function rsyncDaemon(dir: string): Promise<Rsync | undefined> {
  if (spawnSync('rsync', ['--version'], { stdio: 'ignore' }).status !== 0) return undefined
  const port = await freePort()
  const config = join(dir, 'rsyncd.conf')
  const served = join(dir, 'rsync')
  mkdirSync(served)
  // Started by root it would write as nobody.
  const as = process.getuid?.() === 0 ? 'uid = root\ngid = root\n' : ''
  writeFileSync(config, `use chroot = no\n${as}[bench]\npath = ${served}\nread only = no\n`)
  const options = ['--daemon', '--no-detach', `--config=${config}`, '--address=127.0.0.1', `--port=${port}`]
  const to = (into: string): string => `rsync://127.0.0.1:${port}/bench/${into}/`
  const child = spawn('rsync', options, { stdio: 'ignore' })
  const ended = once(child, 'exit')
  const end = atEnd(async () => {
    child.kill()
    await ended
  })
  await answering(child, port)
  return {
    copy(source, into) {
      execFileSync('rsync', ['-a', source, to(into)])
    },
    mirror(source, into) {
      execFileSync('rsync', ['-a', '--delete', `${source}/`, to(into)])
    },
    stop: end
  }
}

/** Where a folder that was copied by it lies. */
export const rsyncFolder = (dir: string, into: string): string => join(dir, 'rsync', into)

/** A port of loopback that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** It says nothing when it is ready: asked until it answers. */
async function answering(child: ChildProcess, port: number): Promise<void> {
  while (child.exitCode === null) {
    const socket = connect(port, '127.0.0.1')
    const answered = await once(socket, 'connect').then(
      () => true,
      () => false
    )
    socket.destroy()
    if (answered) return
    await sleep(20)
  }
  throw new Error(`rsync --daemon ended with ${child.exitCode}`)
}
