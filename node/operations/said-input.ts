import { lstat } from 'node:fs/promises'
import { z } from 'zod'
import { type AbsPath, displayPath, fsPath, SpacedriveError } from '../../storage/base/index.js'
import type { Target } from '../../storage/entries/index.js'
import type { Library } from '../../storage/libraries/index.js'
import type { Peer } from '../compose.js'
import { resolveTyped } from './typed-path.js'

/** What the commands share that say something of files: tags, labels, notes. */
export const absolutePath = z.string().startsWith('/')
export const colorInput = z
  .string()
  .regex(/^(#[0-9a-fA-F]{6}|[a-z]{3,20})$/, 'expected #rrggbb or the name of a colour')

export const libraryOf = (peer: Peer, which: string | undefined): Library =>
  which === undefined ? peer.libraries.current() : peer.libraries.get(which)

/** @throws NOT_FOUND */
export async function targetAt(path: string): Promise<Target> {
  const target = await targetOf(path)
  if (target.inode !== null) return target
  throw new SpacedriveError('NOT_FOUND', `there is no ${displayPath(path)}`)
}

/** Also of a file that is gone: what was said of it can still be taken back. */
export async function targetOf(path: string): Promise<Target> {
  const stat = await lstat(fsPath(path), { bigint: true }).catch(() => undefined)
  return { path: path as AbsPath, inode: stat?.ino ?? null, birthNs: stat?.birthtimeNs ?? null }
}

export const typedPaths = (value: unknown, cwd: string): string[] =>
  (Array.isArray(value) ? value : [value]).map(p => resolveTyped(cwd, String(p)))

export const libraryOption = (o: Readonly<Record<string, unknown>>): { library?: string } =>
  o.library === undefined ? {} : { library: String(o.library) }
