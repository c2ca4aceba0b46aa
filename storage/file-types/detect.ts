import mime from 'mime'
import type { ContentKind } from '../entries/index.js'
import { extensionOf, kindOfMime, kindOfName } from './kinds.js'
import { analyseText } from './text.js'

export interface FileType {
  readonly kind: ContentKind
  /** Undefined when nothing is known about it. */
  readonly mime?: string
  /** What decided. */
  readonly by: 'magic' | 'text' | 'extension' | 'nothing'
}

/** How much of a file's head is asked for: the magic numbers of all known formats lie within it. */
export const HEAD_BYTES = 4100

/** By name alone: instant, and what a shallow index knows. */
export function typeOfName(name: string): FileType {
  const kind = kindOfName(name)
  const known = mimeOfName(name)
  if (kind === undefined)
    return known === undefined
      ? { kind: 'unknown', by: 'nothing' }
      : { kind: kindOfMime(known), mime: known, by: 'extension' }
  return known === undefined ? { kind, by: 'extension' } : { kind, mime: known, by: 'extension' }
}

/**
 * By magic bytes, then by what the text looks like, then by name. Where a container says less than its name (a .docx is a
 * zip, a .ts may be a film or a program) both are heard.
 * @param head - the first HEAD_BYTES of the file, or all of it when `sizeBytes` is no more
 */
export async function detectFileType(name: string, head: Uint8Array, sizeBytes: number): Promise<FileType> {
  const byName = typeOfName(name)
  if (head.length === 0) return byName
  const magic = await magicOf(head)
  if (magic !== undefined && !saysLess(magic, byName)) return magic
  if (magic !== undefined) return byName
  const text = analyseText(head, head.length >= sizeBytes)
  if (text.encoding !== undefined) {
    if (text.interpreter !== undefined && byName.by === 'nothing') {
      return { kind: 'code', mime: MIME_OF_INTERPRETER.get(text.interpreter) ?? 'text/x-script', by: 'text' }
    }
    if (looksLikeKey(head)) return { kind: 'key', mime: byName.mime ?? 'application/x-pem-file', by: 'text' }
    if (TEXTUAL.has(byName.kind)) return byName
    // A name that promises bytes (a .ts film, a .db) over a content that is text: the content is right.
    return AMBIGUOUS.get(extensionOf(name)) ?? { kind: 'text', mime: 'text/plain', by: 'text' }
  }
  // Bytes, though the name promises text: believe the bytes.
  if (TEXTUAL.has(byName.kind)) return { kind: 'binary', mime: 'application/octet-stream', by: 'text' }
  return byName.by === 'nothing' ? { kind: 'binary', mime: 'application/octet-stream', by: 'text' } : byName
}

/**
 * The MIME type of a file that was looked into. Files of one content share what the look found; where it was the name that
 * told (of text, and of an empty file) each has its own.
 * @param kind - what was found of this file
 */
export function mimeOfFile(
  name: string,
  kind: ContentKind,
  sizeBytes: number,
  ofContent: string | null
): string | null {
  const byName = typeOfName(name)
  const told = byName.kind === kind && (sizeBytes === 0 || TEXTUAL.has(kind))
  return (told ? byName.mime : undefined) ?? ofContent ?? byName.mime ?? null
}

async function magicOf(head: Uint8Array): Promise<FileType | undefined> {
  // file-type unpacks these to look for a tar inside, 300 µs a file, and gives the same MIME type whatever it finds.
  if (head[0] === 0x1f && head[1] === 0x8b && head[2] === 0x08) return GZIP
  try {
    // Loaded with the first file that is looked into, not with the program: it has thirty modules of its own.
    const { fileTypeFromBuffer } = await import('file-type')
    const found = await fileTypeFromBuffer(head)
    return found === undefined ? undefined : { kind: kindOfMime(found.mime), mime: found.mime, by: 'magic' }
  } catch {
    return undefined // a damaged file is of no known type, and no reason to stop
  }
}

/** A generic container under a name that says what is in it. */
function saysLess(magic: FileType, byName: FileType): boolean {
  return magic.mime !== undefined && CONTAINERS.has(magic.mime) && byName.by !== 'nothing' && byName.kind !== 'text'
}

const GZIP: FileType = { kind: kindOfMime('application/gzip'), mime: 'application/gzip', by: 'magic' }

const CONTAINERS: ReadonlySet<string> = new Set([
  'application/zip',
  'application/gzip',
  'application/x-cfb',
  'application/xml',
  'application/json',
  'application/x-tar',
  'image/tiff', // raw pictures of most cameras
  'application/ogg',
  'video/mp4'
])

/** Kinds whose content is text where the format is not a known binary one. */
const TEXTUAL: ReadonlySet<ContentKind> = new Set<ContentKind>(['code', 'text', 'config', 'key'])

/** Formats of other kinds that are written as text. */
const AMBIGUOUS: ReadonlyMap<string, FileType> = new Map(
  Object.entries<FileType>({
    svg: { kind: 'image', mime: 'image/svg+xml', by: 'extension' },
    obj: { kind: 'mesh', mime: 'model/obj', by: 'extension' },
    stl: { kind: 'mesh', mime: 'model/stl', by: 'extension' },
    ply: { kind: 'mesh', by: 'extension' },
    gltf: { kind: 'mesh', mime: 'model/gltf+json', by: 'extension' },
    step: { kind: 'mesh', mime: 'model/step', by: 'extension' },
    stp: { kind: 'mesh', mime: 'model/step', by: 'extension' },
    eps: { kind: 'image', mime: 'application/postscript', by: 'extension' },
    xpm: { kind: 'image', mime: 'image/x-xpixmap', by: 'extension' },
    xbm: { kind: 'image', mime: 'image/x-xbitmap', by: 'extension' },
    pbm: { kind: 'image', by: 'extension' },
    pgm: { kind: 'image', by: 'extension' },
    ppm: { kind: 'image', by: 'extension' },
    tex: { kind: 'document', mime: 'application/x-tex', by: 'extension' },
    rtf: { kind: 'document', mime: 'application/rtf', by: 'extension' },
    ps: { kind: 'document', mime: 'application/postscript', by: 'extension' },
    fb2: { kind: 'book', by: 'extension' },
    bdf: { kind: 'font', by: 'extension' },
    afm: { kind: 'font', by: 'extension' },
    age: { kind: 'encrypted', by: 'extension' },
    gpg: { kind: 'encrypted', by: 'extension' },
    pgp: { kind: 'encrypted', by: 'extension' },
    vault: { kind: 'encrypted', by: 'extension' }
  })
)

const MIME_OF_INTERPRETER: ReadonlyMap<string, string> = new Map(
  Object.entries({
    sh: 'application/x-sh',
    bash: 'application/x-sh',
    dash: 'application/x-sh',
    zsh: 'application/x-sh',
    python: 'text/x-python',
    python3: 'text/x-python',
    perl: 'text/x-perl',
    ruby: 'text/x-ruby',
    node: 'text/javascript'
  })
)

function looksLikeKey(head: Uint8Array): boolean {
  const start = Buffer.from(head.subarray(0, 64)).toString('latin1')
  return (
    /^-----BEGIN [A-Z0-9 ]*(KEY|CERTIFICATE|KEY BLOCK)/.test(start) ||
    /^(ssh-(rsa|ed25519|dss)|ecdsa-sha2-) /.test(start)
  )
}

function mimeOfName(name: string): string | undefined {
  const extension = extensionOf(name)
  // The registered type of .ts is a film; far more of them are programs, and films are found by their magic.
  if (extension === 'ts' || extension === 'mts' || extension === 'tsx') return 'text/typescript'
  return extension === '' ? undefined : (mime.getType(extension) ?? undefined)
}
