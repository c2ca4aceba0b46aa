import { z } from 'zod'
import { type AbsPath, SpacedriveError } from '../../storage/base/index.js'
import { formatRate, parseBytes } from './format.js'
import { defineOperation } from './operation.js'
import { resolveTyped } from './typed-path.js'

const MIN_BYTES = 1024 * 1024

export const volumeSpeedTest = defineOperation({
  name: 'volume.speed-test',
  summary: 'Measure how fast a disk writes and reads',
  input: z.strictObject({
    /** An existing folder on the disk. */
    path: z.string().startsWith('/'),
    bytes: z.number().int().min(MIN_BYTES).optional()
  }),
  async run({ peer, signal }, { path, bytes }) {
    return peer.volumes.speedTest(path as AbsPath, { signal, ...(bytes === undefined ? {} : { bytes }) })
  },
  command: {
    path: 'volume speed-test',
    arguments: [['[folder]', 'a folder on the disk that you may write to; the current one when left out']],
    options: [['--size <size>', 'how much to write: 256M unless told']],
    examples: ['spacedrive volume speed-test /media/photos'],
    input({ arguments: [folder], options }, terminal) {
      const path = resolveTyped(terminal.cwd, typeof folder === 'string' ? folder : '.')
      if (typeof options.size !== 'string') return { path }
      const bytes = parseBytes(options.size)
      if (bytes === undefined || bytes < MIN_BYTES) {
        throw new SpacedriveError('USAGE', `--size ${options.size} is not a size of at least 1 MiB`, {
          hint: 'Write it like 256M or 1G.'
        })
      }
      return { path, bytes }
    },
    render({ writeBytesPerSecond, readBytesPerSecond, readCached }, terminal) {
      terminal.line(`writes ${formatRate(writeBytesPerSecond)}`)
      terminal.line(`reads  ${formatRate(readBytesPerSecond)}${readCached ? ' (perhaps from memory)' : ''}`)
    }
  }
})
