import { readdirSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type AbsPath, errorCode, SpacedriveError, toError } from '../../storage/base/index.js'
import { DEFAULT_INSTANCE, instanceNameOf } from './data-dir.js'
import { type DaemonPlace, findPlace } from './place.js'

/** Enough for a daemon under load to accept; a dead one refuses at once. */
const PROBE_MS = 2_000

/** dead: its place says that it runs, and nobody answers there; the next start clears that. */
export type InstanceState = 'running' | 'stopped' | 'dead'

export interface FoundInstance {
  readonly name: string
  readonly state: InstanceState
  readonly dataDir: AbsPath
  readonly place: DaemonPlace | undefined
  /** Why it cannot be started as it is: its database is lost, or its folder cannot be read. */
  readonly problem: SpacedriveError | undefined
}

/** Every instance whose data lies in or under a base directory, the one without a name first. */
export async function listInstances(baseDir: AbsPath): Promise<FoundInstance[]> {
  let names: string[]
  try {
    names = readdirSync(baseDir).sort()
  } catch (err) {
    if (errorCode(err) === 'ENOENT') return []
    throw err
  }
  const dirs = names.filter(name => instanceNameOf(name) !== undefined).map(name => join(baseDir, name) as AbsPath)
  const problemOf = await problems()
  const hasDatabase = statSync(join(baseDir, 'instance.db'), { throwIfNoEntry: false }) !== undefined
  const known = hasDatabase || problemOf(baseDir) !== undefined
  return await Promise.all(
    [...(known ? [baseDir] : []), ...dirs].map(async dataDir => {
      const place = findPlace(dataDir)
      const state = place === undefined ? 'stopped' : (await answers(place.socket)) ? 'running' : 'dead'
      const name = dataDir === baseDir ? DEFAULT_INSTANCE : instanceNameOf(dataDir)!
      return { name, state, dataDir, place, problem: problemOf(dataDir) }
    })
  )
}

/** Only who lists them loads what knows of databases. */
async function problems(): Promise<(dataDir: AbsPath) => SpacedriveError | undefined> {
  const { findLost } = await import('../../storage/instance/index.js')
  return dataDir => {
    try {
      return findLost(dataDir)
    } catch (err) {
      return new SpacedriveError('DATA_DIR', toError(err).message, { cause: err })
    }
  }
}

/** True when somebody accepts connections on a socket. */
export async function answers(path: string): Promise<boolean> {
  return await new Promise(resolve => {
    const socket = connect(path)
    const done = (alive: boolean): void => {
      socket.destroy()
      resolve(alive)
    }
    socket.setTimeout(PROBE_MS, () => done(true))
    socket.once('connect', () => done(true))
    socket.once('error', err => done(!['ECONNREFUSED', 'ENOENT', 'ENOTSOCK'].includes(errorCode(err))))
  })
}
