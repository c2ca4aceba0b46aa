import { readFileSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { cleanName, type Random } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import { deviceWrites } from './devices.worker.js'
import { hostName, parseName } from './names.js'

/** What this device tells of itself. */
export interface LocalDevice {
  /** `network init --name`, else the instance's, else the host's. */
  readonly name: string
  readonly os: string
  readonly model: string
  readonly version: string
  /** How often the daemon was started on this data directory, this time included. */
  readonly starts: number
  /** 16 random bytes of this start. */
  readonly run: Uint8Array
  /** @throws BAD_NAME */
  rename(name: string): Promise<void>
}

export interface LocalDeviceInit {
  database: Database
  random: Random
  version: string
  /** The instance's name, if it has one. */
  instance?: string | undefined
}

/** Counts this start (durably) and reads the name. */
export async function openLocalDevice({ database, random, version, instance }: LocalDeviceInit): Promise<LocalDevice> {
  const starts = await database.write(deviceWrites.countStart, null)
  const stored = (): string | undefined =>
    database.get<{ value: string }>(`SELECT value FROM meta WHERE name = 'device_name'`)?.value
  let name = stored() ?? (cleanName(instance ?? '') || hostName())
  return {
    get name() {
      return name
    },
    os: platform(),
    model: machineModel(),
    version,
    starts,
    run: random.bytes(16),
    async rename(text) {
      const parsed = parseName(text)
      await database.write(deviceWrites.setMeta, { name: 'device_name', value: parsed })
      name = parsed
    }
  }
}

/** The maker's name of the machine where the system tells it, else its processor. */
function machineModel(): string {
  try {
    return cleanName(readFileSync('/sys/class/dmi/id/product_name', 'utf8')) || arch()
  } catch {
    return arch()
  }
}
