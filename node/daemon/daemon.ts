import type { AbsPath } from '../../storage/base/index.js'
import type { InstanceDatabase } from '../../storage/instance/index.js'
import { compose, type Host, type Peer } from '../compose.js'
import { openSettings } from '../config/index.js'
import { readPasswordFile, suppliedPassword } from '../identity/password.js'
import { ensureDataDir } from '../instance/index.js'
import { VERSION } from '../version.js'
import { createApi } from './api.js'
import { publish } from './listen.js'
import type { DaemonLog } from './log.js'
import { watchLoop } from './loop-delay.js'
import { withRemembered } from './remembered.js'
import type { StartOptions } from './start-options.js'

export interface Daemon {
  readonly peer: Peer
  /** Rejects when a part could not start; the daemon is stopped by whoever runs it then. */
  readonly started: Promise<void>
  /** Resolves when everything has stopped, whoever asked for it. */
  readonly stopped: Promise<void>
  /** In order: no new calls, the names gone, the parts in mirrored order, the lock; whoever asked by the API is answered last. */
  stop(reason: string): Promise<void>
}

type Password = () => Promise<string | undefined>

/** From the file that was named now, else the environment (out of which it is taken at once) or systemd's credential, else the file named last. */
async function passwordOf(named: string | undefined, remembered: string | undefined): Promise<Password> {
  const supplied = await suppliedPassword(process.env)
  const file = named ?? (supplied === undefined ? remembered : undefined)
  return async () => (file === undefined ? supplied : await readPasswordFile(file))
}

/**
 * Runs a peer behind its API. Resolves when the socket answers; the parts start after that.
 * @throws {SpacedriveError} DATA_DIR, CONFIG_*, LOCKED, SOCKET, DATABASE_*
 */
export async function startDaemon(
  options: StartOptions,
  log: DaemonLog,
  {
    startedAtMs = Date.now(),
    instance
  }: { startedAtMs?: number; instance?: Promise<InstanceDatabase> | undefined } = {}
): Promise<Daemon> {
  const dataDir = ensureDataDir(options.dataDir as AbsPath)
  const loop = watchLoop()
  let askStop: (reason: string) => Promise<void> = async () => {}
  const host: Host = { kind: 'daemon', startedAtMs, stop: reason => askStop(reason), loopDelay: () => loop.read() }
  let password: Password = async () => undefined
  const peer = await compose({
    dataDir,
    host,
    log,
    password: () => password(),
    ...(instance === undefined ? {} : { instance }),
    newDatabase: options.newDatabase,
    async settings() {
      const { flags, passwordFile } = await withRemembered({ ...options, dataDir }, log)
      const settings = openSettings({ dataDir, flags: new Map(Object.entries(flags)), env: process.env })
      if (options.flags['network.enabled'] === true && !settings.config.network.enabled) {
        await settings.set('network.enabled', true)
      }
      const applyLevel = (): void => log.setLevel(options.verbose ? 'debug' : settings.config.log.level)
      applyLevel()
      settings.onChange(applyLevel)
      password = await passwordOf(options.passwordFile, passwordFile)
      return settings
    }
  })
  const api = createApi(peer, log.child('api'))
  let unpublish: () => Promise<void>
  try {
    unpublish = await publish(api, dataDir, startedAtMs)
  } catch (err) {
    await peer.stop()
    throw err
  }

  async function stopPeer(reason: string): Promise<void> {
    log.info('stopping', { reason })
    peer.events.emit('daemon:stopping', { reason })
    await unpublish().catch(err => log.error('could not take the socket away', { err }))
    await peer.stop()
    loop.stop()
  }

  let peerStopped: Promise<void> | undefined
  let whenStopped = (): void => {}
  const stopped = new Promise<void>(resolve => {
    whenStopped = resolve
  })
  askStop = reason => {
    if (peerStopped === undefined) {
      peerStopped = stopPeer(reason)
      // The call that asked for it is answered in between: after the lock was given back, before the connections end.
      void peerStopped
        .catch(err => log.error('could not stop in order', { err }))
        .then(() => api.close())
        .finally(() => {
          log.info('stopped')
          whenStopped()
        })
    }
    return peerStopped
  }
  log.info('started', { version: VERSION, pid: process.pid, dataDir })
  peer.events.emit('daemon:started', { pid: process.pid, version: VERSION })
  const started = peer.start()
  // Loading code is the start's own cost; the promise of DESIGN 4 holds from here on.
  started.then(() => loop.reset()).catch(() => {})
  return {
    peer,
    started,
    stopped,
    async stop(reason) {
      void askStop(reason)
      await stopped
    }
  }
}
