import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { fsPath, isPlainUtf8, SpacedriveError } from '../base/index.js'
import type { ContentKind } from '../entries/index.js'

/** What pictures, films and sound say of themselves. Only what was found is there. Lengths in pixels, angles in degrees. */
export interface MediaFacts {
  width?: number
  height?: number
  durationMs?: number
  /** When it was taken, as written in it: local time without zone unless it says one. */
  takenAt?: string
  latitude?: number
  longitude?: number
  altitudeM?: number
  camera?: { make?: string; model?: string; lens?: string }
  orientation?: number
  title?: string
  artist?: string
  album?: string
  year?: number
  track?: number
  genre?: string
  codec?: string
  bitrate?: number
  sampleRate?: number
  channels?: number
}

/** Pictures keep what is asked for at their head; what lies further in is not looked for. */
const IMAGE_HEAD_BYTES = 1024 * 1024
/** A damaged file must not hold a thread. */
const MEDIA_TIMEOUT_MS = 10_000
/** Text out of a file that anybody may have made. */
const MAX_TEXT = 300

/** @returns undefined when there is nothing to be had. @throws what opening the file throws */
export async function readMediaFacts(
  path: string,
  kind: ContentKind,
  mime: string | null
): Promise<MediaFacts | undefined> {
  const fd = openSync(fsPath(path), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    if (!fstatSync(fd).isFile()) return undefined
    const facts = kind === 'image' ? await imageFacts(fd) : await avFacts(fd, path, mime)
    return Object.keys(facts).length === 0 ? undefined : facts
  } finally {
    closeSync(fd)
  }
}

async function imageFacts(fd: number): Promise<MediaFacts> {
  const [{ imageSize }, exif] = await Promise.all([import('image-size'), import('exifreader')])
  const head = Buffer.alloc(Math.min(IMAGE_HEAD_BYTES, fstatSync(fd).size))
  const bytes = head.subarray(0, readSync(fd, head, 0, head.length, 0))
  const facts: MediaFacts = {}
  try {
    const { width, height, orientation } = imageSize(bytes)
    Object.assign(facts, defined({ width, height, orientation }))
  } catch {
    // a format it does not know, or a damaged one: the tags may still be there
  }
  try {
    const tags = exif.default.load(bytes, { expanded: true })
    const { exif: e, gps, file, png } = tags
    const text = (name: string): string | undefined =>
      clean((e?.[name as never] as { description?: unknown } | undefined)?.description)
    facts.width ??= number(file?.['Image Width']?.value) ?? number(png?.['Image Width']?.value) ?? facts.width!
    facts.height ??= number(file?.['Image Height']?.value) ?? number(png?.['Image Height']?.value) ?? facts.height!
    const camera = defined({ make: text('Make'), model: text('Model'), lens: text('LensModel') })
    Object.assign(
      facts,
      defined({
        takenAt: dateOf(text('DateTimeOriginal') ?? text('DateTime')),
        latitude: within(gps?.Latitude, 90),
        longitude: within(gps?.Longitude, 180),
        altitudeM: number(gps?.Altitude),
        camera: Object.keys(camera).length > 0 ? camera : undefined
      })
    )
  } catch {
    // no tags in it
  }
  return defined({ ...facts }) as MediaFacts
}

async function avFacts(fd: number, path: string, mime: string | null): Promise<MediaFacts> {
  const { parseFile } = await import('music-metadata')
  // The package takes names as text only; odd ones go by the open file.
  const name = isPlainUtf8(path) ? path : `/dev/fd/${fd}`
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new SpacedriveError('TIMEOUT', `reading what a ${mime ?? 'file'} says of itself took too long`)),
      MEDIA_TIMEOUT_MS
    )
  })
  try {
    const parsed = parseFile(name, { skipCovers: true, skipPostHeaders: true, duration: false })
    const { format, common } = await Promise.race([parsed, late])
    const video = format.trackInfo?.find(t => t.video !== undefined)?.video
    return defined({
      durationMs: format.duration === undefined ? undefined : Math.round(format.duration * 1000),
      width: number(video?.pixelWidth ?? video?.displayWidth),
      height: number(video?.pixelHeight ?? video?.displayHeight),
      codec: clean(format.codec),
      bitrate: number(format.bitrate),
      sampleRate: number(format.sampleRate),
      channels: number(format.numberOfChannels),
      title: clean(common.title),
      artist: clean(common.artist),
      album: clean(common.album),
      year: number(common.year),
      track: number(common.track.no),
      genre: clean(common.genre?.[0])
    }) as MediaFacts
  } finally {
    clearTimeout(timer)
  }
}

function defined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function within(value: unknown, limit: number): number | undefined {
  const n = number(value)
  return n !== undefined && Math.abs(n) <= limit ? n : undefined
}

function clean(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const text = value.replace(/[\p{Cc}\p{Cf}]/gu, '').trim()
  return text === '' ? undefined : text.slice(0, MAX_TEXT)
}

/** `2024:05:01 12:30:00` as EXIF writes it, in the common form. */
function dateOf(text: string | undefined): string | undefined {
  const m = /^(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d:\d\d(:\d\d)?)/.exec(text ?? '')
  return m === null ? undefined : `${m[1]}-${m[2]}-${m[3]}T${m[4]}`
}
