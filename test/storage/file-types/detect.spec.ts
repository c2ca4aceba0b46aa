import assert from 'node:assert/strict'
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { CONTENT_KINDS } from '../../../storage/entries/index.js'
import { analyseText, detectFileType, HEAD_BYTES, mimeOfFile, typeOfName } from '../../../storage/file-types/index.js'

const text = (s: string): Uint8Array => Buffer.from(s)
const png = Uint8Array.from([
  0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0,
  0, 0
])
const jpeg = Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1])
const sqlite = text('SQLite format 3\0rest of the header')
const elf = Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, ...new Array(48).fill(0)])

/** A zip with one stored entry. */
function zip(name: string): Uint8Array {
  const data = deflateRawSync('x')
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(20, 4)
  header.writeUInt16LE(8, 8)
  header.writeUInt32LE(data.length, 18)
  header.writeUInt32LE(1, 22)
  header.writeUInt16LE(name.length, 26)
  return Buffer.concat([header, Buffer.from(name), data])
}

describe('typeOfName', () => {
  for (const [name, kind] of [
    ['photo.JPG', 'image'],
    ['film.mkv', 'video'],
    ['song.flac', 'audio'],
    ['letter.docx', 'document'],
    ['all.tar.gz', 'archive'],
    ['main.rs', 'code'],
    ['notes.md', 'text'],
    ['app.sqlite', 'database'],
    ['novel.epub', 'book'],
    ['face.woff2', 'font'],
    ['part.stl', 'mesh'],
    ['settings.toml', 'config'],
    ['secrets.gpg', 'encrypted'],
    ['server.pem', 'key'],
    ['setup.exe', 'executable'],
    ['data.bin', 'binary'],
    ['what.ever', 'unknown'],
    ['Makefile', 'code'],
    ['.bashrc', 'config'],
    ['.hidden', 'unknown'],
    ['ends.', 'unknown']
  ] as const) {
    it(`${name} is ${kind}`, () => assert.equal(typeOfName(name).kind, kind))
  }
  it('each of the seventeen kinds has a name that means it', () => {
    assert.equal(CONTENT_KINDS.length, 17)
  })
})

describe('detectFileType', () => {
  for (const [why, name, head, kind, mime] of [
    ['magic bytes decide over a wrong name', 'photo.txt', png, 'image', 'image/png'],
    ['magic bytes decide where there is no name to go by', 'IMG0001', jpeg, 'image', 'image/jpeg'],
    ['a database by its magic', 'places', sqlite, 'database', 'application/x-sqlite3'],
    ['a program by its magic', 'ls', elf, 'executable', 'application/x-elf'],
    [
      'a zip that is named as a document is a document',
      'a.odt',
      zip('x'),
      'document',
      'application/vnd.oasis.opendocument.text'
    ],
    ['a zip that is named zip is an archive', 'a.zip', zip('x'), 'archive', 'application/zip'],
    ['a gzip without a name is an archive', 'a', gzipSync('x'), 'archive', 'application/gzip'],
    ['a script by its first line', 'deploy', text('#!/usr/bin/env -S python3\nprint(1)\n'), 'code', 'text/x-python'],
    ['a .ts that is text is a program', 'main.ts', text('export const a = 1\n'), 'code', 'text/typescript'],
    ['text without an extension', 'HOWTO', text('how to do it\n'), 'text', 'text/plain'],
    [
      'a key by how it begins',
      'mine',
      text('-----BEGIN OPENSSH PRIVATE KEY-----\nabc'),
      'key',
      'application/x-pem-file'
    ],
    [
      'bytes named as text are bytes',
      'notes.md',
      Uint8Array.from([1, 0, 2, 0, 3, 0]),
      'binary',
      'application/octet-stream'
    ],
    ['bytes without a name are bytes', 'blob', Uint8Array.from([1, 0, 2, 0, 3]), 'binary', 'application/octet-stream'],
    [
      'a vector picture is a picture',
      'logo.svg',
      text('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
      'image',
      'image/svg+xml'
    ],
    ['an empty file is what its name says', 'empty.py', new Uint8Array(0), 'code', 'text/x-python']
  ] as const) {
    it(why, async () => {
      const found = await detectFileType(name, head, head.length)
      assert.equal(found.kind, kind)
      if (name !== 'empty.py') assert.equal(found.mime, mime)
    })
  }

  it('any bytes under any name give one of the kinds and never throw', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.uint8Array({ maxLength: 300 }), async (name, head) => {
        assert.ok(CONTENT_KINDS.includes((await detectFileType(name, head, head.length)).kind))
      }),
      { numRuns: 300 }
    )
  })

  it('real files of this system: what is a program is not text, what is a page of text is', async () => {
    const head = Buffer.alloc(HEAD_BYTES)
    const look = async (dir: string, name: string): Promise<string> => {
      const fd = openSync(join(dir, name), 'r')
      const n = readSync(fd, head)
      closeSync(fd)
      return (await detectFileType(name, head.subarray(0, n), statSync(join(dir, name)).size)).kind
    }
    assert.equal(await look('/usr/bin', readdirSync('/usr/bin').includes('env') ? 'env' : 'sh'), 'executable')
    assert.equal(await look('/etc', 'passwd'), 'text')
  })
})

describe('files of one content', () => {
  for (const [why, name, kind, sizeBytes, expected] of [
    ['an empty file is what its name says', 'a.txt', 'text', 0, 'text/plain'],
    ['so is text', 'a.txt', 'text', 9, 'text/plain'],
    ['bytes are what they are, whatever the name', 'a.png', 'image', 9, 'text/markdown'],
    ['a name that says nothing', 'README', 'text', 9, 'text/markdown'],
    ['a name that says something else than was found', 'a.png', 'text', 9, 'text/markdown']
  ] as const) {
    it(`${why}: ${name}`, () => assert.equal(mimeOfFile(name, kind, sizeBytes, 'text/markdown'), expected))
  }
})

describe('analyseText', () => {
  it('a head cut within a character is text all the same', () => {
    const whole = text('schön')
    assert.equal(analyseText(whole.subarray(0, 4)).encoding, 'utf-8')
    assert.equal(analyseText(whole.subarray(0, 4), true).encoding, 'latin1')
  })
  it('byte order marks', () => {
    assert.equal(analyseText(Uint8Array.from([0xff, 0xfe, 0x41, 0])).encoding, 'utf-16le')
    assert.equal(analyseText(Uint8Array.from([0xfe, 0xff, 0, 0x41])).encoding, 'utf-16be')
  })
})
