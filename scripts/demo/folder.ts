import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  createReadStream,
  createWriteStream,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { finished } from 'node:stream/promises'

const SMALL_FILES = 3_000
const LARGE_FILES = 3
const LARGE_BYTES = 96 * 1024 * 1024

/** A folder like a person's: thousands of small files in nested folders, a few large ones, links, empty folders, odd names. */
export async function makeFolder(dir: string): Promise<void> {
  mkdirSync(dir)
  for (let i = 0; i < SMALL_FILES; i++) {
    const folder = `${dir}/${2010 + (i % 15)}/${String(1 + (i % 12)).padStart(2, '0')}`
    if (i < 180) mkdirSync(folder, { recursive: true })
    writeFileSync(`${folder}/IMG_${String(i).padStart(5, '0')}.jpg`, randomBytes(512 + ((i * 7919) % 24_000)))
  }
  for (let i = 0; i < LARGE_FILES; i++) {
    const out = createWriteStream(`${dir}/video ${i + 1}.mov`)
    for (let at = 0; at < LARGE_BYTES; at += 1 << 20) {
      if (!out.write(randomBytes(1 << 20))) await new Promise<void>(resolve => out.once('drain', () => resolve()))
    }
    out.end()
    await finished(out)
  }
  mkdirSync(`${dir}/nothing in here`)
  writeFileSync(`${dir}/empty.txt`, '')
  writeFileSync(`${dir}/grüße 日本 🙂.txt`, 'names are bytes; these are UTF-8\n')
  writeFileSync(`${dir}/ends with a dot.`, 'and that is fine\n')
  writeFileSync(`${dir}/old.txt`, 'from long ago\n')
  utimesSync(`${dir}/old.txt`, 0, 981_173_106)
  symlinkSync('old.txt', `${dir}/a link to old.txt`)
  chmodSync(`${dir}/empty.txt`, 0o600)
}

export interface Comparison {
  files: number
  folders: number
  links: number
  bytes: number
  /** Paths that are not the same, with what differs. */
  differences: string[]
}

/** Compares two trees: names, kinds, every byte, link targets, modes and times. */
export async function compareTrees(a: string, b: string): Promise<Comparison> {
  const sum: Comparison = { files: 0, folders: 0, links: 0, bytes: 0, differences: [] }
  const visit = async (rel: string): Promise<void> => {
    const left = readdirSync(`${a}${rel}`).sort()
    const right = new Set(readdirSync(`${b}${rel}`))
    for (const name of left) {
      const path = `${rel}/${name}`
      if (!right.delete(name)) sum.differences.push(`${path} is missing`)
      else await compareOne(path)
    }
    for (const name of right) sum.differences.push(`${rel}/${name} is there but was not sent`)
  }
  const compareOne = async (path: string): Promise<void> => {
    const x = lstatSync(a + path)
    const y = lstatSync(b + path)
    const differ = (what: string): void => void sum.differences.push(`${path}: ${what}`)
    if ((x.mode & 0o170000) !== (y.mode & 0o170000)) return differ('another kind')
    if (x.isSymbolicLink()) {
      sum.links++
      if (readlinkSync(a + path) !== readlinkSync(b + path)) differ('another target')
      return
    }
    if ((x.mode & 0o777) !== (y.mode & 0o777)) differ('another mode')
    if (x.isDirectory()) {
      sum.folders++
      return visit(path)
    }
    sum.files++
    sum.bytes += x.size
    if (x.size !== y.size) return differ('another size')
    if (Math.floor(x.mtimeMs) !== Math.floor(y.mtimeMs)) differ('another time')
    if ((await digest(a + path)) !== (await digest(b + path))) differ('other bytes')
  }
  await visit('')
  return sum
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
