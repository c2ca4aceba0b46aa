import { z } from 'zod'
import { type AbsPath, SpacedriveError } from '../../storage/base/index.js'
import type { ContentKind } from '../../storage/entries/index.js'
import { asTyped } from './as-typed.js'
import { formatBytes, parseBytes } from './format.js'
import { defineOperation } from './operation.js'
import { resolveTyped } from './typed-path.js'

/** All kinds of storage/entries, written out here since that folder loads a database; the compiler checks that none is missing. */
const KIND_NAMES: Readonly<Record<ContentKind, true>> = {
  ...{ image: true, video: true, audio: true, document: true, archive: true, code: true, text: true, database: true },
  ...{ book: true, font: true, mesh: true, config: true, encrypted: true, key: true, executable: true, binary: true },
  unknown: true
}
const CONTENT_KINDS = Object.keys(KIND_NAMES) as [ContentKind, ...ContentKind[]]

export const networkRules = defineOperation({
  name: 'network.rules',
  summary: 'What happens to drops of a device without asking',
  input: z.strictObject({
    device: z.string().min(1).max(512),
    mode: z.enum(['ask', 'always']).optional(),
    /** null: no limit. */
    maxBytes: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullable().optional(),
    types: z.array(z.enum(CONTENT_KINDS)).min(1).nullable().optional(),
    /** null: the downloads folder. */
    to: z.string().startsWith('/', 'expected an absolute path').nullable().optional()
  }),
  async run({ peer }, { device: wanted, mode, maxBytes, types, to }) {
    const { id: device, name } = peer.devices.resolve(wanted)
    const before = peer.drops.rule(device)
    const pick = <T>(given: T | null | undefined, old: T | undefined): T | undefined =>
      given === undefined ? old : (given ?? undefined)
    if (mode !== undefined || maxBytes !== undefined || types !== undefined || to !== undefined) {
      if (!peer.devices.isPaired(device))
        throw new SpacedriveError('NOT_PAIRED', `${name} is not paired with this device`)
      await peer.drops.setRule(device, {
        mode: mode ?? before.mode,
        maxBytes: pick(maxBytes, before.maxBytes),
        types: pick(types, before.types),
        to: pick(to as AbsPath | null, before.to)
      })
    }
    const rule = peer.drops.rule(device)
    return {
      ...{ device, name, mode: rule.mode },
      maxBytes: rule.maxBytes ?? null,
      types: rule.types === undefined ? null : [...rule.types],
      to: rule.to ?? null
    }
  },
  command: {
    path: 'network rules',
    arguments: [['<device>', 'id, first 8 letters or more of it, or name']],
    options: [
      ['--mode <mode>', 'ask, or always: take what is within the limits, ask about the rest'],
      ['--max-size <size>', 'all files of a drop together, such as 500M; none: no limit'],
      ['--types <kinds>', `kinds of files, by content: ${CONTENT_KINDS.join(', ')}; all: any`],
      ['--to <dir>', 'where its drops go; default: the downloads folder']
    ],
    examples: [
      'spacedrive network rules phone',
      'spacedrive network rules phone --mode always --max-size 500M --types image,video --to ~/Pictures',
      'spacedrive network rules phone --mode ask'
    ],
    input({ arguments: [device], options }, terminal) {
      const { mode, maxSize, types, to } = options as {
        mode?: 'ask' | 'always'
        maxSize?: string
        types?: string
        to?: string
      }
      if (mode !== undefined && mode !== 'ask' && mode !== 'always') {
        throw new SpacedriveError('USAGE', `expected --mode ask | always, got ${asTyped(mode)}`)
      }
      return {
        device: device as string,
        ...(mode !== undefined && { mode }),
        ...(maxSize !== undefined && { maxBytes: sizeOf(maxSize) }),
        ...(types !== undefined && { types: kindsOf(types) }),
        ...(to !== undefined && { to: to === 'default' ? null : resolveTyped(terminal.cwd, to) })
      }
    },
    render(rule, terminal) {
      if (rule.mode === 'ask') {
        terminal.line(`Drops of ${rule.name} are taken when you accept them.`)
      } else {
        terminal.line(
          `Drops of ${rule.name} are taken unasked${rule.maxBytes === null && rule.types === null ? '.' : ' within limits:'}`
        )
        if (rule.maxBytes !== null) terminal.line(`  size   up to ${formatBytes(rule.maxBytes)}`)
        if (rule.types !== null) terminal.line(`  kinds  ${rule.types.join(', ')}`)
      }
      terminal.line(`  to     ${rule.to ?? 'the downloads folder'}`)
    }
  }
})

function sizeOf(text: string): number | null {
  if (text === 'none') return null
  const bytes = parseBytes(text)
  if (bytes !== undefined) return bytes
  throw new SpacedriveError('USAGE', `expected a size such as 500M after --max-size, got ${asTyped(text)}`)
}

function kindsOf(text: string): ContentKind[] | null {
  if (text === 'all') return null
  const kinds = text.split(',').map(k => k.trim())
  const wrong = kinds.find(k => !(CONTENT_KINDS as readonly string[]).includes(k))
  if (wrong === undefined) return kinds as ContentKind[]
  throw new SpacedriveError('USAGE', `"${wrong}" is not a kind of file`, {
    hint: `There are: ${CONTENT_KINDS.join(', ')}.`
  })
}
