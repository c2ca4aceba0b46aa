import { createHasher } from '../../../storage/content/index.js'

/** An entry of a page as bytes, whatever it says: for those who do not keep the rules. */
export interface PageEntry {
  readonly path: string | Uint8Array
  /** 0 file, 1 directory, 2 symlink. */
  readonly kind: number
  readonly size: bigint
  readonly mode?: number
  readonly target?: string
}

/** The layout of protocols/transfer/manifest/page.ts, written down a second time. */
export function pageOf(entries: readonly PageEntry[]): Uint8Array {
  return Buffer.concat(
    entries.map(({ path, kind, size, mode = 0o644, target = '' }) => {
      const p = Buffer.from(path as never)
      const t = Buffer.from(target)
      const head = Buffer.alloc(23)
      head.writeUInt8(kind, 0)
      head.writeUInt16BE(mode, 1)
      head.writeUInt16BE(p.length, 3)
      head.writeUInt16BE(t.length, 5)
      head.writeBigUInt64BE(BigInt.asUintN(64, size), 7)
      return Buffer.concat([head, p, t])
    })
  )
}

/** The hash of a manifest of these pages. */
export function blake3(pages: readonly Uint8Array[]): Uint8Array {
  const hasher = createHasher()
  for (const page of pages) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(page.length)
    hasher.update(length).update(page)
  }
  return Buffer.from(hasher.digest(), 'hex')
}
