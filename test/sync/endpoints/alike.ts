/** The same calls at several ends, each on a tree of its own that was edited alike: what they answer, without what is an end's own. */
import { randomUUID } from 'node:crypto'
import { errorCode } from '../../../storage/base/index.js'
import type { EntryStat, Expected, PlaceResult, PlaceStep, StagedSource } from '../../../storage/files/index.js'
import type { Endpoint, EndpointStage, TreeEntry } from '../../../sync/endpoints/index.js'
import { pack } from '../../storage/files/pack.js'
import type { EndpointFixture } from './endpoint-suite.js'
import { bytesOf, gather, rel } from './gather.js'

/** A step without what only one end knows: what is expected is what that end showed when all was last looked at. */
export type Wanted =
  | { readonly kind: 'create'; readonly path: string; readonly from: string }
  | { readonly kind: 'replace'; readonly path: string; readonly from: string; readonly seen: string }
  | { readonly kind: 'remove'; readonly path: string; readonly seen: string }
  | { readonly kind: 'move'; readonly path: string; readonly to: string; readonly seen: string }
  | { readonly kind: 'make-directory'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'remove-directory'; readonly path: string }
  | { readonly kind: 'attributes'; readonly path: string; readonly seen: string; readonly mode: number }

export const STAGED = { s0: 'zero', s1: 'one', s2: 'two', 'in/s3': 'three' }

export class AlikeEnd {
  readonly fixture: EndpointFixture
  #seen = new Map<string, EntryStat>()
  #stage: EndpointStage | undefined
  #asides = 0

  constructor(fixture: EndpointFixture) {
    this.fixture = fixture
  }

  get #endpoint(): Endpoint {
    return this.fixture.endpoint
  }

  /** All of it, as a walk shows it. */
  async tree(): Promise<string[]> {
    return (await gather(this.#endpoint.walk(rel('')))).map(shown)
  }

  /** From now on this is what is expected. */
  async see(): Promise<void> {
    this.#seen = new Map((await gather(this.#endpoint.walk(rel('')))).map(({ path, stat }) => [path, stat]))
  }

  async stage(): Promise<void> {
    this.#stage ??= await this.#endpoint.openStage(randomUUID())
    const { entries, data } = pack(STAGED)
    await this.#stage.write(entries, data as Uint8Array<ArrayBuffer>)
  }

  async place(wanted: readonly Wanted[], together: boolean): Promise<string[]> {
    await this.stage()
    const steps = wanted.map(step => this.#step(step))
    if (!together) return (await this.#endpoint.place(steps)).map(resultText)
    // Which of several reasons is told of a group is an end's own.
    return (await this.#endpoint.placeGroup(steps)).map(r => (r.done ? resultText(r) : `${r.path} not done`))
  }

  async trash(paths: readonly string[]): Promise<string[]> {
    const items = paths.map(path => ({ path: rel(path), expected: this.#expected(path) }))
    const outcomes = await this.#endpoint.trash(items, { command: 'test' })
    return outcomes.map(o => `${o.path} ${o.done ? `${o.files} ${o.bytes}` : o.problem.code}`)
  }

  async look(paths: readonly string[]): Promise<string[]> {
    const looked = await this.#endpoint.look(paths.map(rel))
    return looked.map(l => l.problem?.code ?? (l.entry === undefined ? 'nothing' : shown(l.entry)))
  }

  async list(path: string): Promise<string[]> {
    return (await gather(this.#endpoint.list(rel(path)))).map(shown)
  }

  async walk(path: string, depth: number, except: readonly string[]): Promise<string[]> {
    return (await gather(this.#endpoint.walk(rel(path), { depth, except: except.map(rel) }))).map(shown)
  }

  /** Content of each by each way there is. */
  async read(paths: readonly string[]): Promise<string[]> {
    const asked = paths.map(rel)
    const { data, files } = await this.#endpoint.readPack(asked)
    const said = files.map(f =>
      f.problem === undefined
        ? `${f.hash} ${Buffer.from(data.subarray(f.offset, f.offset + f.length))}`
        : f.problem.code
    )
    for await (const file of this.#endpoint.hash(asked))
      said.push(file.problem === undefined ? file.hash : file.problem.code)
    for (const path of asked) {
      said.push(await codeOr(async () => String(await bytesOf(this.#endpoint.read(path)))))
      said.push(await codeOr(async () => (await this.#endpoint.hashStart(path, 3)).hash))
    }
    return said
  }

  async verify(): Promise<string[]> {
    await this.stage()
    return this.#stage!.verify(
      Object.keys(STAGED).map(path => ({ path: rel(path), sizeBytes: 4, hash: 'ab'.repeat(32) as never }))
    )
  }

  #step(wanted: Wanted): PlaceStep {
    const path = rel(wanted.path)
    const from = 'from' in wanted ? this.#staged(wanted.from) : undefined
    const expected = 'seen' in wanted ? this.#expected(wanted.seen) : undefined
    const leaves = wanted.kind === 'replace' || wanted.kind === 'remove'
    const aside = leaves ? this.#staged(`aside/${this.#asides++}`) : undefined
    const { mode } = wanted as { mode?: number }
    const to = 'to' in wanted ? rel(wanted.to) : undefined
    return { kind: wanted.kind, path, ...without({ from, expected, mode, to, aside }) } as PlaceStep
  }

  #staged(path: string): StagedSource {
    return { staging: this.#stage!.id, path: rel(path) }
  }

  #expected(path: string): Expected {
    return this.#seen.get(path) ?? { kind: 'file', sizeBytes: 4 }
  }
}

/** What it answered, or the code of what it threw. */
export async function codeOr<T>(act: () => Promise<T>): Promise<T | string> {
  try {
    return await act()
  } catch (err) {
    if (err instanceof TypeError) throw err
    return errorCode(err)
  }
}

function shown({ path, stat, target, unknown, problem }: TreeEntry): string {
  const size = stat.kind === 'directory' ? '' : stat.sizeBytes
  const mode = stat.kind === 'symlink' ? '' : stat.mode.toString(8)
  return [path, stat.kind, size, mode, target, unknown, problem?.code].filter(fact => fact !== undefined).join(' ')
}

function resultText(result: PlaceResult): string {
  if (!result.done) return `${result.path} ${result.problem.code}`
  const stat = (s: EntryStat | undefined): string =>
    s === undefined ? '-' : `${s.kind} ${s.kind === 'directory' ? '' : s.sizeBytes}`
  return `${result.path} done ${stat(result.stat)} ${stat(result.aside)}`
}

const without = (facts: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
