import { z } from 'zod'
import type { AbsPath, DeviceId } from '../../../storage/base/index.js'
import { type CopyInput, copyChoices, MAX_SOURCES } from '../input.js'

/** A path on some device; null: this one. */
export interface Place {
  readonly device: DeviceId | null
  readonly path: AbsPath
}

/** What is asked of a copy or a move of which at least one end is another device. */
export interface RemoteCopyInput
  extends Omit<CopyInput, 'sources' | 'destination' | 'prepare' | 'owner' | 'xattrs' | 'include' | 'exclude'> {
  readonly sources: readonly Place[]
  readonly destination: Place
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

const place = z.strictObject({
  device: z.string().min(1).max(512).nullable(),
  path: z.string().startsWith('/', 'expected an absolute path')
})

export const remoteCopyInput = z.strictObject({
  ...copyChoices,
  sources: z.array(place).min(1).max(MAX_SOURCES),
  destination: place
}) as unknown as z.ZodType<RemoteCopyInput>

/** The other devices that take part. */
export function devicesOf({ sources, destination }: Pick<RemoteCopyInput, 'sources' | 'destination'>): DeviceId[] {
  return [...new Set([...sources, destination].flatMap(p => p.device ?? []))]
}
