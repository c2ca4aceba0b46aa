import type { Present } from './entry.js'
import type { Operation } from './operation.js'

/** Whoever hashes: SHA-256, BLAKE3. Handed in, for nothing here computes anything but plans. */
export interface TextHasher {
  update(text: string): unknown
}

/**
 * One operation as a line that says all that is done by it, and to what: two plans with the same lines do the same. The plan's hash is
 * that over the lines, in their order.
 */
export function operationLine(op: Operation): string {
  const fields: (string | number)[] = [op.kind, op.end, op.path, op.group ?? '']
  switch (op.kind) {
    case 'create':
      fields.push(contentText(op.content), op.mode, String(op.mtimeNs))
      break
    case 'replace':
      fields.push(contentText(op.content), op.mode, String(op.mtimeNs), contentText(op.expected))
      break
    case 'make-directory':
      fields.push(op.mode, String(op.mtimeNs))
      break
    case 'remove':
    case 'remove-directory':
    case 'park':
      fields.push(contentText(op.expected))
      break
    case 'move':
      fields.push(op.to, contentText(op.expected))
      break
    case 'unpark':
      fields.push(op.parked)
      break
    case 'attributes':
      fields.push(op.mode ?? '', op.mtimeNs === undefined ? '' : String(op.mtimeNs))
      break
    default:
      fields.push(JSON.stringify(Object.entries(op.version).sort(([a], [b]) => (a < b ? -1 : 1))))
  }
  return `${JSON.stringify(fields)}\n`
}

export function hashOperation(hasher: TextHasher, op: Operation): void {
  hasher.update(operationLine(op))
}

const contentText = (entry: Present): string =>
  entry.kind === 'file' ? entry.hash : entry.kind === 'symlink' ? `-> ${entry.target}` : 'directory'
