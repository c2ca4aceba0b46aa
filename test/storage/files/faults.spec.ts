import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type FileName, ROOT } from '../../../storage/base/index.js'
import { nodeDisk, type PlaceResult, type PlaceStep } from '../../../storage/files/index.js'
import { type Kit, openKit, rel, spied, systemError } from './kit.js'
import { CHANGES } from './placing-plan.js'

/** An error of the disk at every step that changes something: nothing half, nothing lost, and afterwards it can be done again. */
for (const [name, native] of [
  ['exchange', true],
  ['journal', false]
] as const) {
  for (const [system, ours] of [
    ['ENOSPC', 'NO_SPACE'],
    ['EDQUOT', 'NO_SPACE'],
    ['EIO', 'DISK_ERROR'],
    ['EROFS', 'READ_ONLY'],
    ['EMFILE', 'TOO_MANY_OPEN_FILES']
  ] as const) {
    describe(`a disk that fails with ${system} at any step (${name})`, () => {
      let kit: Kit
      let failing: { at: number; n: number } | undefined
      const disk = spied(native ? nodeDisk() : nodeDisk({ native: undefined }), call => {
        if (failing !== undefined && CHANGES.has(call) && failing.n++ === failing.at) throw systemError(system)
      })
      const visible = (): string[] =>
        readdirSync(kit.dir)
          .filter(n => !n.startsWith('.'))
          .sort()
      const read = (path: string): string | undefined =>
        existsSync(kit.at(path)) ? readFileSync(kit.at(path), 'utf8') : undefined

      /** Runs `attempt` on a fresh folder with the error at every step in turn, until it gets through. */
      async function atEveryStep(
        before: () => void,
        attempt: () => Promise<void>,
        after: (failed: boolean) => Promise<void>
      ) {
        let steps = 0
        for (let at = 0; ; at++) {
          kit = await openKit(disk)
          try {
            before()
            failing = { at, n: 0 }
            const outcome = await attempt().then(
              () => undefined,
              err => err
            )
            const reached = failing.n > at
            failing = undefined
            if (outcome !== undefined) assert.equal(outcome.code, ours, `at ${at}: ${outcome}`)
            await after(outcome !== undefined)
            if (!reached) break
            steps++
          } finally {
            failing = undefined
            await kit.clean()
          }
        }
        assert.ok(steps > 2)
      }

      it('staging: nothing has a name, and the same call again is whole', () =>
        atEveryStep(
          () => {},
          () => kit.stage({ 'd/a': 'alpha', b: 'beta' }),
          async () => {
            assert.deepEqual(visible(), [])
            await kit.stage({ 'd/a': 'alpha', b: 'beta' })
            await kit.staging.moveInto(ROOT, [{ from: 'd' as FileName }, { from: 'b' as FileName }])
            assert.deepEqual([read('d/a'), read('b')], ['alpha', 'beta'])
          }
        ))

      it('a whole drop: all or none, and it can be tried again', () =>
        atEveryStep(
          () => {},
          async () => {
            failing!.n = Number.NEGATIVE_INFINITY
            await kit.stage({ 'd/a': 'alpha', b: 'beta' })
            failing!.n = 0
            await kit.staging.moveInto(ROOT, [{ from: 'd' as FileName }, { from: 'b' as FileName }])
          },
          async failed => {
            assert.ok([0, 2].includes(visible().length), visible().join())
            if (failed) await kit.staging.moveInto(ROOT, [{ from: 'd' as FileName }, { from: 'b' as FileName }])
            assert.deepEqual(visible(), ['b', 'd'])
            assert.deepEqual([read('d/a'), read('b')], ['alpha', 'beta'])
          }
        ))

      it('a batch: what is said to be done is, what is not is as it was, nothing is lost', () => {
        let results: readonly PlaceResult[] | undefined
        return atEveryStep(
          () => {
            results = undefined
            for (const path of ['f', 'gone', 'm']) writeFileSync(kit.at(path), `old ${path}`)
            mkdirSync(kit.at('empty'))
          },
          async () => {
            failing!.n = Number.NEGATIVE_INFINITY
            await kit.stage({ f: 'new f', c: 'new c' })
            failing!.n = 0
            const steps: PlaceStep[] = [
              {
                kind: 'replace',
                path: rel('f'),
                from: kit.from('f'),
                expected: { kind: 'file' },
                aside: kit.from('o/f')
              },
              { kind: 'create', path: rel('c'), from: kit.from('c') },
              { kind: 'remove', path: rel('gone'), expected: { kind: 'file' }, aside: kit.from('o/gone') },
              { kind: 'move', path: rel('m'), to: rel('n'), expected: { kind: 'file' } },
              { kind: 'remove-directory', path: rel('empty') }
            ]
            results = await kit.root.place(steps)
          },
          async () => {
            const tree = `${kit.staging.path}/tree`
            const aside = (path: string): string | undefined =>
              existsSync(`${tree}/${path}`) ? readFileSync(`${tree}/${path}`, 'utf8') : undefined
            assert.ok(['old f', 'new f'].includes(read('f')!), `f is ${read('f')}`)
            assert.equal([read('f'), aside('o/f'), aside('f')].includes('old f'), true, 'the old f is somewhere')
            assert.ok([undefined, 'new c'].includes(read('c')))
            assert.equal(read('gone') ?? aside('o/gone'), 'old gone')
            assert.equal(read('m') ?? read('n'), 'old m')
            for (const result of results ?? []) {
              if (!result.done) assert.equal(result.problem.code, ours)
            }
            if (results?.every(r => r.done)) assert.deepEqual(visible(), ['c', 'f', 'n'])
          }
        )
      })
    })
  }
}
