import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tempDir } from '../../temp.js'

const ROLE = fileURLToPath(new URL('./resumed-role.js', import.meta.url))
const MIB = 1024 * 1024
const SIZE = 40 * MIB + 123
/** As in the role; and what is copied between two looks. */
const CHECKPOINT = 8 * MIB
const PIECE = 8 * MIB
/** A few here; COPY_KILLS=50 for a long look. */
const KILLS = Number(process.env.COPY_KILLS ?? 1)

interface Told {
  readonly through: number
  readonly resumedBytes?: number
  readonly copiedBytes?: number
  readonly error?: unknown
}

describe('copy: a process that copies a large file is killed', () => {
  const content = Buffer.alloc(SIZE)
  for (let at = 0; at + 8 < SIZE; at += 512) content.writeBigUInt64LE(BigInt(at) * 2_654_435_761n, at)

  for (let n = 0; n < KILLS; n++) {
    for (const verify of [false, true]) {
      it(`kill ${n + 1}${verify ? ', verified' : ''}: only what came after the last checkpoint is copied again`, () => {
        const temp = tempDir()
        try {
          mkdirSync(join(temp.path, 'from'))
          writeFileSync(join(temp.path, 'from/large'), content, { mode: 0o440 })
          writeFileSync(join(temp.path, 'from/small'), 'beside it')
          // Where it is killed is what is random here.
          const dieAt = 2 * CHECKPOINT + PIECE + Math.floor(Math.random() * (SIZE - 3 * CHECKPOINT - PIECE))
          const first = role(temp.path, verify, dieAt, 'SIGKILL')
          const second = role(temp.path, verify, Number.POSITIVE_INFINITY, null)
          assert.equal(second.error, undefined)
          // What it found is told like what it copied.
          const copied = second.through - second.resumedBytes!
          assert.ok(second.resumedBytes! >= CHECKPOINT)
          assert.ok(first.through + copied <= SIZE + CHECKPOINT + PIECE, `${first.through} and ${copied} of ${SIZE}`)
          assert.equal(second.through, SIZE)
          assert.equal(second.copiedBytes, SIZE + 'beside it'.length)
          assert.ok(readFileSync(join(temp.path, 'to/large')).equals(content))
          const [from, to] = ['from', 'to'].map(name => lstatSync(join(temp.path, name, 'large'), { bigint: true }))
          assert.deepEqual([to!.mode, to!.mtimeNs], [from!.mode, from!.mtimeNs])
          assert.equal(readFileSync(join(temp.path, 'to/small'), 'utf8'), 'beside it')
          assert.deepEqual(readdirSync(temp.path).sort(), ['data', 'from', 'to'])
        } finally {
          temp.clean()
        }
      })
    }
  }
})

function role(dir: string, verify: boolean, dieAt: number, ends: 'SIGKILL' | null): Told {
  const args = [ROLE, dir, String(verify), String(dieAt)]
  const { stdout, stderr, signal } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(signal, ends, stderr)
  return JSON.parse(stdout) as Told
}
