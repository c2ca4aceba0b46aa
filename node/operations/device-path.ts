import { posix, resolve } from 'node:path'

/** A path as a person names it: on this device, or `DEVICE:/path` on a paired one (DESIGN 3). */
export interface NamedPath {
  /** Id, prefix or name of the device; undefined: this one. */
  readonly device: string | undefined
  readonly path: string
}

const ON_DEVICE = /^([^/:]{1,512}):(\/.*)$/s

/** @param text - absolute, or `DEVICE:/path` */
export function namedPath(text: string): NamedPath {
  const [, device, path] = ON_DEVICE.exec(text) ?? []
  return path === undefined ? { device: undefined, path: text } : { device, path: posix.normalize(path) }
}

/** What was typed, made absolute: a relative path is one of this device. */
export function typedPath(text: string, cwd: string): string {
  return ON_DEVICE.test(text) ? text : resolve(cwd, text)
}

export const isNamedPath = (text: string): boolean => text.startsWith('/') || ON_DEVICE.test(text)
