import { createHash, randomBytes } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'

/** A folder with what folders hold: nested, empty, large, linked, oddly named. `bigBytes` goes into one file. */
export function makeTree(dir: string, { files = 300, bigBytes = 4 * 1024 * 1024 } = {}): void {
  mkdirSync(dir, { recursive: true })
  for (let i = 0; i < files; i++) {
    const folder = join(dir, `f${i % 7}`, `g${i % 11}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `file ${i}.bin`), randomBytes((i * 613) % 16_384))
  }
  writeFileSync(join(dir, 'big.bin'), randomBytes(bigBytes))
  writeFileSync(join(dir, 'ünïcode – 日本.txt'), 'x')
  writeFileSync(join(dir, 'colon: and trailing dot.'), 'y')
  writeFileSync(join(dir, 'empty'), '')
  mkdirSync(join(dir, 'empty folder'))
  symlinkSync('big.bin', join(dir, 'link'))
  utimesSync(join(dir, 'empty'), 0, 981_173_106)
}

/** Everything that a drop carries, as text to compare: kind, permissions, time, content or target of each path. */
export function describeTree(dir: string): string[] {
  const lines: string[] = []
  const visit = (rel: string): void => {
    for (const name of readdirSync(join(dir, rel)).sort()) {
      const path = join(rel, name)
      const s = lstatSync(join(dir, path))
      if (s.isSymbolicLink()) lines.push(`${path} -> ${readlinkSync(join(dir, path))}`)
      else if (s.isDirectory()) {
        lines.push(`${path}/ ${(s.mode & 0o777).toString(8)}`)
        visit(path)
      } else {
        const hash = createHash('sha256')
          .update(readFileSync(join(dir, path)))
          .digest('hex')
        lines.push(`${path} ${(s.mode & 0o777).toString(8)} ${Math.floor(s.mtimeMs)} ${s.size} ${hash}`)
      }
    }
  }
  visit('')
  return lines
}
