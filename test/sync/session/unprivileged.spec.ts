import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Mode } from '../../../sync/reconcile/index.js'
import { tempDir } from '../../temp.js'
import { NOBODY, withoutRoot } from '../../unprivileged.js'
import { look } from './fixture.js'

const ROLE = fileURLToPath(new URL('./unprivileged-role.js', import.meta.url))
interface Answer {
  readonly state: string
  readonly code?: string
  readonly message?: string
  readonly operations?: number
  readonly problems: readonly { path: string; code: string; message: string; at: string }[]
}

/** A sync of which both ends have agreed, run by a process that may do little. */
class Role {
  readonly source: string
  readonly destination: string
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #reader: Interface

  constructor(at: string, mode: Mode) {
    this.source = join(at, 'source')
    this.destination = join(at, 'destination')
    this.#child = spawn(process.execPath, [ROLE, at, mode], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#reader = createInterface({ input: this.#child.stdout! })
    this.#lines = this.#reader[Symbol.asyncIterator]()
  }

  async ready(): Promise<this> {
    assert.equal((await this.#lines.next()).value, 'ready')
    return this
  }

  async run(): Promise<Answer> {
    this.#child.stdin!.write('run\n')
    return JSON.parse((await this.#lines.next()).value as string) as Answer
  }

  async end(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.stdin!.end()
    await exited
    this.#reader.close()
  }
}

const problemsOf = ({ problems }: Answer): string[] => problems.map(p => `${p.path} ${p.code} ${p.at}`).sort()
const untimed = (dir: string): Record<string, string> => look(dir, { times: false })

withoutRoot('a sync without root', ROLE, () => {
  for (const mode of ['bidirectional', 'mirror', 'replica', 'backup'] as Mode[]) {
    it(`${mode}: what it may not read or write is said, everything else goes on, and with the rights the next run finishes`, async () => {
      const temp = tempDir('sd-rights-')
      chmodSync(temp.path, 0o755)
      const role = await new Role(temp.path, mode).ready()
      const { source, destination } = role
      const edit = (path: string, text: string): void => {
        writeFileSync(join(source, path), text)
        chownSync(join(source, path), NOBODY, NOBODY)
      }
      try {
        for (const path of ['a', 'open/b', 'secret', 'locked/e', 'sticky/g']) edit(path, `${path} edited`)
        edit('locked/new', 'new')
        rmSync(join(source, 'locked/f'))
        rmSync(join(source, 'sticky/h'))
        // Not to be read at the source: a folder, and a file that was edited.
        chmodSync(join(source, 'closed'), 0)
        chmodSync(join(source, 'secret'), 0)
        // Not to be written at the destination: a folder, and files of somebody else where only their owner takes them away.
        chownSync(join(destination, 'locked'), 0, 0)
        for (const path of ['sticky', 'sticky/g', 'sticky/h']) chownSync(join(destination, path), 0, 0)
        chmodSync(join(destination, 'sticky'), 0o1777)
        const before = untimed(destination)
        const first = await role.run()
        const deletes = mode === 'replica' ? [] : ['locked/f', 'sticky/h']
        const notWritten = ['locked', 'locked/e', 'locked/new', 'sticky', 'sticky/g', ...deletes]
        assert.deepEqual(
          problemsOf(first),
          [
            ...notWritten.map(path => `${path} NO_PERMISSION destination`),
            ...['closed', 'secret'].map(path => `${path} NO_PERMISSION source`)
          ].sort()
        )
        for (const { message, path } of first.problems) assert.match(message, new RegExp(`${path}.*(denied|permitted)`))
        assert.deepEqual(untimed(destination), { ...before, a: 'a edited 644', 'open/b': 'open/b edited 644' })

        chmodSync(join(source, 'closed'), 0o755)
        chmodSync(join(source, 'secret'), 0o644)
        for (const path of ['locked', 'sticky', 'sticky/g', 'sticky/h'])
          chownSync(join(destination, path), NOBODY, NOBODY)
        assert.deepEqual((await role.run()).problems, [])
        const wanted = untimed(source)
        // What is deleted at the source stays there.
        if (mode === 'replica')
          for (const [path, is] of Object.entries(before)) if (!(path in wanted)) wanted[path] = is
        assert.deepEqual(untimed(destination), wanted)
        assert.equal((await role.run()).operations, 0)

        // All of the destination.
        edit('a', 'a once more')
        chownSync(destination, 0, 0)
        const refused = await role.run()
        assert.deepEqual(problemsOf(refused), ['a NO_PERMISSION destination'])
        assert.deepEqual(untimed(destination), wanted)
        chownSync(destination, NOBODY, NOBODY)
        assert.deepEqual((await role.run()).problems, [])
        assert.equal(untimed(destination).a, 'a once more 644')
      } finally {
        await role.end()
        temp.clean()
      }
    })
  }
})
