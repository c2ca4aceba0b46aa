import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { type ContentHash, hasCode } from '../../../storage/base/index.js'
import { createHasher, hashBytes } from '../../../storage/content/index.js'
import type { EndpointStage, StagedEntry, StagedFileWriter } from '../../../sync/endpoints/index.js'
import { codeOr } from './alike.js'
import type { EndpointFixture, MakeEndpoint } from './endpoint-suite.js'
import { rel } from './gather.js'
import { memoryFixture } from './memory/fixture.js'

/** More by SPACEDRIVE_RUNS, for a long search. */
const RUNS = Number(process.env.SPACEDRIVE_RUNS ?? 8)
/** Larger than what one message takes, and than a page of either end. */
const LARGE = 1_200_000

const path = fc.constantFrom('a', 'b', 'a/b', 'a/c')
const length = fc.constantFrom(0, 1, 5, 70_000, LARGE)
const file = fc.record({ kind: fc.constant('file' as const), path, length: fc.nat(9), wrong: fc.boolean() })
const entry = fc.oneof(
  { weight: 4, arbitrary: file },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('directory' as const), path }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('symlink' as const), path }) }
)
const command = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('write' as const), entries: fc.array(entry, { maxLength: 4 }) })
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('open' as const), path, sizeBytes: length }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('append' as const, 'hole' as const), length }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('stretch' as const), from: length, length }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fill' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('finish' as const), hash: fc.constantFrom('right', 'wrong', 'none') })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart' as const, 'close' as const, 'reopen' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('verify' as const), path, length: fc.nat(9) }) }
)
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

/** What lies staged is as in memory, whatever is written, cut off and begun again. To be called within a `describe`. */
export function alikeStagingSuite(make: MakeEndpoint): void {
  it('stages content as a tree in memory does, whatever is written, cut off and begun again', () => {
    return fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 3, maxLength: 20 }), async commands => {
        const ends = [await Staged.open(await make()), await Staged.open(await memoryFixture())]
        try {
          for (const one of commands) {
            const [real, memory] = [await ends[0]!.run(one), await ends[1]!.run(one)]
            assert.deepEqual(memory, real, JSON.stringify(one))
          }
        } finally {
          for (const end of ends) await end.close()
        }
      }),
      { numRuns: RUNS, endOnFailure: process.env.SPACEDRIVE_RUNS === undefined }
    )
  })
}

const bytesOf = (n: number): Uint8Array => new Uint8Array(n).fill(n % 251)
const source = new Uint8Array(LARGE).map((_, i) => i % 253)

class Staged {
  readonly #fixture: EndpointFixture
  readonly #id = randomUUID()
  #stage!: EndpointStage
  #writer: StagedFileWriter | undefined

  private constructor(fixture: EndpointFixture) {
    this.#fixture = fixture
  }

  static async open(fixture: EndpointFixture): Promise<Staged> {
    const staged = new Staged(fixture)
    fixture.tree.write('source', source)
    staged.#stage = await fixture.endpoint.openStage(staged.#id)
    return staged
  }

  async close(): Promise<void> {
    await this.#writer?.close()
    await this.#stage.discard()
    await this.#fixture.close()
  }

  async run(one: Command): Promise<unknown> {
    const answer = await codeOr(() => this.#do(one))
    // Where it stands after a failure is said by none: it begins again.
    if (typeof answer === 'string' && this.#writer !== undefined && APPENDING.has(one.do)) await this.#writer.restart()
    return [answer, this.#writer?.positionBytes]
  }

  async #do(one: Command): Promise<unknown> {
    switch (one.do) {
      case 'write':
        return this.#write(one.entries)
      case 'verify':
        return this.#stage.verify([
          { path: rel(one.path), sizeBytes: one.length, hash: hashBytes(bytesOf(one.length)) }
        ])
      case 'reopen':
        await this.#leave()
        await this.#stage.close()
        this.#stage = await this.#fixture.endpoint.openStage(this.#id)
        return undefined
      case 'open': {
        await this.#leave()
        const opened = await this.#stage.openFile(rel(one.path), { sizeBytes: one.sizeBytes })
        this.#writer = opened
        return [opened.positionBytes, await opened.prefixHash()]
      }
      default:
        return this.#writer === undefined ? undefined : this.#append(this.#writer, one)
    }
  }

  async #append(writer: StagedFileWriter, one: Command): Promise<unknown> {
    switch (one.do) {
      case 'append':
        return (await writer.append(bytesOf(one.length))) ?? null
      case 'hole':
        return (await writer.appendHole(one.length)) ?? null
      case 'stretch':
        return (
          (await writer.appendStretch({ path: rel('source'), fromBytes: one.from, lengthBytes: one.length })) ?? null
        )
      case 'fill':
        return (await writer.append(bytesOf(writer.sizeBytes - writer.positionBytes))) ?? null
      case 'restart':
        return (await writer.restart()) ?? null
      case 'close':
        await this.#leave()
        return undefined
      case 'finish': {
        const hash = one.hash === 'right' ? await writer.prefixHash() : one.hash === 'wrong' ? WRONG : undefined
        try {
          const finished = await writer.finish({ ...(hash && { hash }) })
          this.#writer = undefined
          return finished
        } catch (err) {
          if (!hasCode(err, 'INCOMPLETE', 'HASH_MISMATCH')) throw err
          return { code: (err as unknown as { code: string }).code }
        }
      }
    }
    return undefined
  }

  async #write(wanted: readonly (typeof entry extends fc.Arbitrary<infer T> ? T : never)[]): Promise<unknown> {
    await this.#leave()
    const parts: Uint8Array[] = []
    let offset = 0
    const entries = wanted.map((one): StagedEntry => {
      const at = rel(one.path)
      if (one.kind === 'directory') return { kind: 'directory', path: at }
      if (one.kind === 'symlink') return { kind: 'symlink', path: at, target: 'nowhere' }
      const bytes = bytesOf(one.length)
      parts.push(bytes)
      offset += bytes.length
      const hash = one.wrong ? WRONG : hashBytes(bytes)
      return { kind: 'file', path: at, offset: offset - bytes.length, length: bytes.length, hash }
    })
    const { hashes, problems } = await this.#stage.write(entries, new Uint8Array(Buffer.concat(parts)))
    return [Buffer.from(hashes).toString('hex'), problems.map(({ index, code }) => [index, code])]
  }

  /** One writer at a time. */
  async #leave(): Promise<void> {
    await this.#writer?.close()
    this.#writer = undefined
  }
}

const APPENDING = new Set(['append', 'hole', 'stretch', 'fill'])
const WRONG: ContentHash = createHasher().update(Buffer.from('something else')).digest()
