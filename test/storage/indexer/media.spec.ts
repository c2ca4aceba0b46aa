import assert from 'node:assert/strict'
import { copyFileSync, writeFileSync } from 'node:fs'
import { crc32, deflateSync } from 'node:zlib'
import type { MediaFacts } from '../../../storage/file-types/index.js'
import { type IndexFixture, indexFixture } from './index-fixture.js'

const u16 = (n: number): Buffer => Buffer.from([n >> 8, n & 0xff])
const u32 = (n: number): Buffer => Buffer.from([n >>> 24, (n >> 16) & 0xff, (n >> 8) & 0xff, n & 0xff])

/** A whole PNG of one colour. */
function png(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data])
    return Buffer.concat([u32(data.length), body, u32(crc32(body))])
  }
  const rows = Buffer.alloc((width + 1) * height)
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', Buffer.concat([u32(width), u32(height), Buffer.from([8, 0, 0, 0, 0])])),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0))
  ])
}

interface Field {
  readonly tag: number
  readonly type: 2 | 4 | 5
  readonly value: string | number | readonly (readonly [number, number])[]
}

/** A TIFF directory at `at`: its entries, then what does not fit into four bytes. */
function directory(at: number, fields: readonly Field[]): Buffer {
  const after = at + 2 + fields.length * 12 + 4
  const rows: Buffer[] = []
  let rest = Buffer.alloc(0)
  for (const { tag, type, value } of fields) {
    const data =
      typeof value === 'string'
        ? Buffer.from(`${value}\0`)
        : typeof value === 'number'
          ? u32(value)
          : Buffer.concat(value.flatMap(([a, b]) => [u32(a), u32(b)]))
    const count = typeof value === 'string' ? data.length : typeof value === 'number' ? 1 : value.length
    const inline = data.length <= 4 ? Buffer.concat([data, Buffer.alloc(4 - data.length)]) : u32(after + rest.length)
    if (data.length > 4) rest = Buffer.concat([rest, data])
    rows.push(Buffer.concat([u16(tag), u16(type), u32(count), inline]))
  }
  return Buffer.concat([u16(fields.length), ...rows, u32(0), rest])
}

/** A JPEG as a camera writes it: EXIF with make, date and place, then the size of the picture. */
function jpeg(width: number, height: number): Buffer {
  const main = (exif: number, gps: number): readonly Field[] => [
    { tag: 0x010f, type: 2, value: 'Kamera AG' },
    { tag: 0x0110, type: 2, value: 'K-1' },
    { tag: 0x8769, type: 4, value: exif },
    { tag: 0x8825, type: 4, value: gps }
  ]
  const exif: readonly Field[] = [{ tag: 0x9003, type: 2, value: '2023:07:14 18:30:05' }]
  const degrees = (d: number, m: number): Field['value'] => [
    [d, 1],
    [m, 1],
    [0, 1]
  ]
  const gps: readonly Field[] = [
    { tag: 1, type: 2, value: 'N' },
    { tag: 2, type: 5, value: degrees(48, 30) },
    { tag: 3, type: 2, value: 'W' },
    { tag: 4, type: 5, value: degrees(9, 15) }
  ]
  const exifAt = 8 + directory(8, main(0, 0)).length
  const gpsAt = exifAt + directory(exifAt, exif).length
  const tiff = Buffer.concat([
    ...[Buffer.from('MM\0*', 'latin1'), u32(8)],
    ...[directory(8, main(exifAt, gpsAt)), directory(exifAt, exif), directory(gpsAt, gps)]
  ])
  const app1 = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff])
  const frame = Buffer.concat([Buffer.from([8]), u16(height), u16(width), Buffer.from([1, 1, 0x11, 0])])
  const segment = (marker: number, data: Buffer): Buffer =>
    Buffer.concat([Buffer.from([0xff, marker]), u16(data.length + 2), data])
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xe1, app1),
    segment(0xc0, frame),
    Buffer.from([0xff, 0xd9])
  ])
}

/** Silence, 8 kHz, one channel, 16 bits. */
function wav(seconds: number): Buffer {
  const data = Buffer.alloc(seconds * 16_000)
  const header = Buffer.alloc(44)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(36 + data.length, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(16, 16)
  for (const [value, at] of [
    [1, 20],
    [1, 22],
    [2, 32],
    [16, 34]
  ] as const)
    header.writeUInt16LE(value, at)
  header.writeUInt32LE(8_000, 24)
  header.writeUInt32LE(16_000, 28)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(data.length, 40)
  return Buffer.concat([header, data])
}

describe('mode deep: what media say of themselves', () => {
  let f: IndexFixture
  before(async () => {
    f = await indexFixture()
    writeFileSync(`${f.tree}/drawing.png`, png(321, 123))
    writeFileSync(`${f.tree}/photo.jpg`, jpeg(640, 480))
    writeFileSync(`${f.tree}/silence.wav`, wav(3))
    writeFileSync(`${f.tree}/cut.jpg`, jpeg(640, 480).subarray(0, 40))
    writeFileSync(`${f.tree}/notes.txt`, 'no picture')
    copyFileSync(`${f.tree}/photo.jpg`, `${f.tree}/photo copy.jpg`)
  })
  after(() => f.close())

  const factsOf = (name: string): MediaFacts | null => {
    const row = f.library.database.get<{ media: string | null }>(
      'SELECT c.media FROM entries e JOIN contents c ON c.id = e.content WHERE e.name = ?',
      [Buffer.from(name)]
    )
    return row?.media == null ? null : (JSON.parse(row.media) as MediaFacts)
  }

  it('dimensions, duration, date, place and camera are read, once for each content; what is damaged has none', async () => {
    const location = await f.location(f.tree, { mode: 'deep' })
    const report = await f.indexer.index({ library: f.library, location })
    assert.equal(report.problems, 0)
    const drawing = factsOf('drawing.png')!
    assert.deepEqual([drawing.width, drawing.height], [321, 123])
    const photo = factsOf('photo.jpg')!
    assert.deepEqual([photo.width, photo.height, photo.takenAt], [640, 480, '2023-07-14T18:30:05'])
    assert.deepEqual([photo.latitude, photo.longitude], [48.5, -9.25])
    assert.deepEqual(photo.camera, { make: 'Kamera AG', model: 'K-1' })
    assert.deepEqual(factsOf('photo copy.jpg'), photo)
    const silence = factsOf('silence.wav')!
    assert.deepEqual([silence.durationMs, silence.sampleRate, silence.channels], [3_000, 8_000, 1])
    assert.equal(factsOf('cut.jpg')?.width, undefined)
    assert.equal(factsOf('notes.txt'), null)
    const contents = new Set(['drawing', 'photo', 'silence', 'cut']).size
    assert.equal(report.mediaFiles, contents)
    assert.equal((await f.indexer.index({ library: f.library, location })).mediaFiles, 0, 'not read a second time')
  })
})
