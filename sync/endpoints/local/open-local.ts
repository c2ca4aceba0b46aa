import { realpath } from 'node:fs/promises'
import {
  type AbortOptions,
  type AbsPath,
  displayPath,
  errorCode,
  fsPath,
  hasCode,
  isWithin,
  SpacedriveError,
  textFromBytes,
  toError
} from '../../../storage/base/index.js'
import { timeStepMs } from '../../../storage/volumes/index.js'
import type { Endpoint } from '../endpoint.js'
import { localTasks } from './local.worker.js'
import { LocalEndpoint, type LocalEndpointInit } from './local-endpoint.js'

const NS_PER_MS = 1_000_000n

/**
 * Opens a folder of this device as an endpoint; nothing is written to it. The path itself may lead over symlinks, below it
 * none is followed.
 * @throws {SpacedriveError} MISSING, NOT_A_DIRECTORY, NO_PERMISSION, OURS (it belongs to this program)
 */
export async function openLocalEndpoint(
  init: LocalEndpointInit & { readonly path: AbsPath },
  { signal }: AbortOptions = {}
): Promise<Endpoint> {
  const path = init.disk === undefined ? await realPathOf(init.path) : init.path
  if (init.ours().some(ours => isWithin(path, ours))) {
    throw new SpacedriveError('OURS', `could not use ${displayPath(path)}: it belongs to this program`, {
      hint: 'Choose a folder outside of data directories and libraries.'
    })
  }
  const stat = await init.pool.run(localTasks.openRoot, { path, disk: init.disk }, { signal }).catch(err => {
    throw hasCode(err, 'LINK_IN_PATH') ? notAFolder(path) : err
  })
  const volume = await init.volumes.volumeOf(path)
  const fileSystem = volume?.fileSystem ?? 'unknown'
  const stepMs = timeStepMs(fileSystem)
  const about = {
    ...{ device: null, root: stat, fileSystem },
    network: volume?.network ?? false,
    timeStepNs: stepMs > 1 ? BigInt(stepMs) * NS_PER_MS : 1n
  }
  return new LocalEndpoint({ ...init, path, stat, about })
}

async function realPathOf(path: AbsPath): Promise<AbsPath> {
  try {
    return textFromBytes(await realpath(fsPath(path), { encoding: 'buffer' })) as AbsPath
  } catch (err) {
    const shown = displayPath(path)
    const code = errorCode(err)
    if (code === 'ENOENT') throw new SpacedriveError('MISSING', `could not open ${shown}: it is not there`)
    if (code === 'ENOTDIR') throw notAFolder(path)
    if (code === 'EACCES') throw new SpacedriveError('NO_PERMISSION', `could not open ${shown}: permission denied`)
    throw new SpacedriveError(code, `could not open ${shown}: ${toError(err).message}`, { cause: err })
  }
}

const notAFolder = (path: AbsPath): SpacedriveError =>
  new SpacedriveError('NOT_A_DIRECTORY', `could not open ${displayPath(path)}: it is not a folder`)
