import { z } from 'zod'
import { displayPath, isPlainUtf8, pathBytes, SpacedriveError } from '../../storage/base/index.js'
import type { SearchFilters } from '../../storage/search/index.js'
import { asTyped } from './as-typed.js'
import { formatBytes, formatTime, parseBytes } from './format.js'
import { wholeNumber } from './number-option.js'
import { defineOperation } from './operation.js'

const KINDS = [
  'file folder symlink unknown image video audio document archive code text database book font mesh config encrypted key executable binary'
].flatMap(words => words.split(' ')) as [string, ...string[]]

const bytes = z.number().int().nonnegative()

export const searchFiles = defineOperation({
  name: 'search',
  summary: 'Find files and folders by name, kind, size, date, tag',
  input: z.strictObject({
    text: z.string().max(255).default(''),
    kinds: z.array(z.enum(KINDS)).optional(),
    extensions: z.array(z.string().max(64)).optional(),
    largerBytes: bytes.optional(),
    smallerBytes: bytes.optional(),
    modifiedAfterMs: z.number().optional(),
    modifiedBeforeMs: z.number().optional(),
    tags: z.array(z.string()).optional(),
    labels: z.array(z.string()).optional(),
    favorite: z.boolean().optional(),
    hidden: z.boolean().optional(),
    location: z.string().optional(),
    duplicates: z.boolean().optional(),
    excluded: z.boolean().optional(),
    limit: z.number().int().min(1).max(1_000).default(50),
    offset: z.number().int().min(0).max(10_000).default(0),
    library: z.string().optional()
  }),
  async run({ peer, signal }, { text, limit, offset, library, ...filters }) {
    const open = library === undefined ? peer.libraries.current() : peer.libraries.get(library)
    const request = { text, limit, offset, filters: filters as SearchFilters }
    const { hits, more, tookMs } = await peer.search.search(open, request, { signal })
    return {
      hits: hits.map(hit => ({
        ...hit,
        path: displayPath(hit.path),
        name: displayPath(hit.name),
        ...(isPlainUtf8(hit.path) ? {} : { pathBytes: pathBytes(hit.path).toString('base64') })
      })),
      more,
      page: Math.floor(offset / limit) + 1,
      tookMs
    }
  },
  command: {
    path: 'search',
    arguments: [['[words...]', 'what is in the name; all of the words']],
    options: [
      ['--kind <kinds...>', 'image, video, audio, document, code ... or file, folder, symlink'],
      ['--ext <extensions...>', 'jpg, pdf'],
      ['--larger <size>', 'larger than 10M'],
      ['--smaller <size>', 'smaller than 1k'],
      ['--modified-after <date>', '2024-05-01, or a number of days: 7d'],
      ['--modified-before <date>', 'likewise'],
      ['--tag <tags...>', 'bears all of them'],
      ['--label <labels...>', 'bears all of them, or narrower ones: Projects, Projects/Web'],
      ['--favorite', 'favourites only'],
      ['--hidden', 'only what you hid with `file note --hidden`'],
      ['--location <location>', 'below this location (id or name)'],
      ['--duplicates', 'files whose content another file has as well'],
      ['--all', 'also what the rules leave out, and what you hid'],
      ['--limit <n>', 'how many (50)'],
      ['--page <n>', 'the next ones: 2, 3'],
      ['--library <library>', 'another than the current library']
    ],
    examples: [
      'spacedrive search holiday',
      'spacedrive search report 2024 --ext pdf docx --modified-after 30d',
      'spacedrive search --kind video --larger 1G',
      'spacedrive search --duplicates --larger 10M'
    ],
    input({ arguments: [words], options: o }) {
      const limit = o.limit === undefined ? 50 : wholeNumber(o.limit, '--limit', 1, 1_000)
      const page = o.page === undefined ? 1 : wholeNumber(o.page, '--page', 1, 10_000)
      const list = (value: unknown): string[] | undefined =>
        value === undefined ? undefined : (Array.isArray(value) ? value : [value]).flatMap(v => String(v).split(','))
      const typed = (Array.isArray(words) ? words : words === undefined ? [] : [words]).join(' ')
      // A habit of shells: names are searched as they are, without patterns.
      const byExtension = /^\*\.([\p{L}\p{N}]+)$/u.exec(typed)?.[1]
      const extensions = [...(list(o.ext) ?? []), ...(byExtension === undefined ? [] : [byExtension])]
      const input = {
        text: byExtension === undefined ? typed : '',
        kinds: list(o.kind),
        extensions: extensions.length === 0 ? undefined : extensions.map(e => e.replace(/^\./, '').toLowerCase()),
        largerBytes: size(o.larger, '--larger'),
        smallerBytes: size(o.smaller, '--smaller'),
        modifiedAfterMs: date(o.modifiedAfter, '--modified-after'),
        modifiedBeforeMs: date(o.modifiedBefore, '--modified-before'),
        tags: list(o.tag),
        labels: list(o.label),
        favorite: o.favorite === true ? true : undefined,
        hidden: o.hidden === true ? true : undefined,
        location: o.location === undefined ? undefined : String(o.location),
        duplicates: o.duplicates === true ? true : undefined,
        excluded: o.all === true ? true : undefined,
        library: o.library === undefined ? undefined : String(o.library),
        limit,
        offset: (page - 1) * limit
      }
      if (
        input.text === '' &&
        Object.entries(input).every(([k, v]) => v === undefined || ['text', 'limit', 'offset', 'library'].includes(k))
      )
        throw new SpacedriveError('USAGE', 'nothing to search for', {
          hint: 'spacedrive search NAME, or a filter such as --kind image'
        })
      return input as never
    },
    render({ hits, more, page, tookMs }, terminal) {
      for (const h of hits) {
        const marks = [whereabouts(h), h.favorite ? '★' : '', h.hidden ? 'hidden' : '', ...h.tags, ...h.labels].filter(
          Boolean
        )
        const gone = h.id === null && !h.available
        const size = gone ? '' : h.kind === 'symlink' ? 'link' : formatBytes(h.sizeBytes)
        const path = `${h.path}${h.kind === 'directory' ? '/' : ''}`
        const line = `${size.padStart(9)}  ${(gone ? '' : formatTime(h.modifiedMs)).padEnd(19)}  ${path}`
        terminal.line(marks.length === 0 ? line : `${line}  ${terminal.dim(marks.join(', '))}`)
      }
      terminal.note(
        hits.length === 0
          ? 'Nothing found.'
          : `${hits.length} found in ${Math.max(1, Math.round(tookMs))} ms${more ? `; more with --page ${page + 1}` : ''}`
      )
    }
  }
})

/** Where it is when it is not simply there; a file that was found by a tag alone is in no index. */
function whereabouts({
  id,
  available,
  device
}: {
  id: number | null
  available: boolean
  device: string | null
}): string {
  if (id === null) return available ? 'not indexed' : 'gone'
  return available ? '' : device === null ? 'offline' : `on ${device}`
}

function size(value: unknown, option: string): number | undefined {
  if (value === undefined) return undefined
  const bytes = parseBytes(String(value))
  if (bytes === undefined)
    throw new SpacedriveError('USAGE', `${option}: ${value} is not a size`, { hint: 'Say 100k, 10M or 2G.' })
  return bytes
}

/** A day or moment (local time), or days and hours back: `7d`, `12h`. */
function date(value: unknown, option: string): number | undefined {
  if (value === undefined) return undefined
  const text = String(value)
  const back = /^(\d+)([dhw])$/.exec(text)
  if (back !== null)
    return Date.now() - Number(back[1]) * { h: 3_600_000, d: 86_400_000, w: 604_800_000 }[back[2] as 'd' | 'h' | 'w']
  const ms = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00` : text)
  if (Number.isNaN(ms))
    throw new SpacedriveError('USAGE', `expected a date after ${option}, got ${asTyped(text)}`, {
      hint: 'Say 2024-05-01 or 7d.'
    })
  return ms
}
