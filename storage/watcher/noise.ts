import { AREA_NAME, isTempName } from '../files/index.js'

/**
 * What is never handed on: our own staging and temporary files, at any depth. Everything else is: the index is complete,
 * and what an editor leaves about is the rules' business, not the watcher's.
 */
export function isNoise(name: string): boolean {
  return isTempName(name)
}

/** A folder of this name is ours where it holds the marker; then nothing in it is watched. */
export function maybeOurs(name: string): boolean {
  return name === AREA_NAME
}
