/** What devices tell each other about a sync before and after it runs; each body is checked before it is looked at. */
import { posix } from 'node:path'
import { z } from 'zod'
import { type AbsPath, MAX_PATH_BYTES, pathBytes, textFromBytes } from '../../storage/base/index.js'
import { MODES } from '../../sync/reconcile/index.js'

const sync = z.uuid()
/** A name is shown to a person, escaped: what a sync may be called is checked where it is made. */
const text = z.string().max(1_000)
/** JSON has no bytes, and not every path is text. */
const path = z
  .base64()
  .max(2 * MAX_PATH_BYTES)
  .transform(bytes => textFromBytes(Buffer.from(bytes, 'base64')) as AbsPath)
  .refine(p => p.length <= MAX_PATH_BYTES && p.startsWith('/') && posix.normalize(p) === p && !p.includes('\0'))
const integer = z.string().regex(/^-?\d{1,20}$/)

export const askedBody = z.object({
  ...{ sync, name: z.string().min(1).max(200), mode: z.enum(MODES), side: z.enum(['source', 'destination']) },
  ...{ theirs: text, path }
})
export const acceptedBody = z.object({ sync, path, inode: integer, birthNs: integer })
export const aboutSync = z.object({ sync })

export const pathToBody = (at: AbsPath): string => Buffer.from(pathBytes(at)).toString('base64')
