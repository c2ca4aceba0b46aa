import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { TwoDevices } from './two-devices.js'

describe('what belongs to the program of the other device', () => {
  const two = new TwoDevices()
  before(() => two.start())
  after(() => two.clean())

  const add = (name: string) =>
    two.add(name, { mode: 'mirror', side: 'destination', mine: `${name}-mine`, theirs: `${name}-theirs` })
  const is = (path: string): boolean => existsSync(two.at(path))

  it('a name that it keeps for itself is a problem before anything is tried; the rest goes on', async () => {
    two.put('area-mine/a', 'a')
    two.put('area-mine/sub/.spacedrive/x', 'no area of ours')
    two.put('area-mine/sub/b', 'b')
    two.put('area-theirs/old/.spacedrive/kept', 'there already')
    await add('area')
    for (const operations of [3, 0]) {
      const { state, problems, ...done } = await two.run('area')
      assert.equal(state, 'problems')
      assert.equal(done.operations, operations)
      assert.deepEqual(problems.map(p => p.path).sort(), ['sub/.spacedrive', 'sub/.spacedrive/x'])
      assert.match(problems.find(p => p.path === 'sub/.spacedrive')!.message, /kept for spacedrive.*\.spacedriveignore/)
    }
    assert.equal(readFileSync(two.at('area-theirs/sub/b'), 'utf8'), 'b')
    assert.ok(is('area-theirs/old/.spacedrive/kept') && !is('area-theirs/sub/.spacedrive'))
    // Its cure.
    two.put('area-mine/.spacedriveignore', '.spacedrive\n')
    assert.equal((await two.run('area')).state, 'converged')
    assert.equal((await two.run('area')).operations, 0)
  })

  it('what became its own after the look stays, as the problem of its path; the next plan leaves it alone', async () => {
    const mine = two.at('lib-mine/Found.sdlibrary')
    two.put('lib-mine/other', 'goes')
    two.put('lib-mine/stays', 'stays')
    await two.ada.libraries.create({ name: 'Found', path: two.at('lib-mine') })
    await two.ada.libraries.close(mine)
    await add('lib')
    assert.equal((await two.run('lib')).state, 'converged')
    const theirs = two.at('lib-theirs/Found.sdlibrary')
    for (const gone of [mine, two.at('lib-mine/other')]) rmSync(gone, { recursive: true })
    await two.lie({
      end: truth => ({
        async announce(run, options) {
          await truth.announce(run, options)
          await two.bob.libraries.open(theirs)
        }
      })
    })
    const { state, problems } = await two.run('lib')
    await two.truth()
    assert.equal(state, 'problems')
    const of = problems.find(p => p.path === 'Found.sdlibrary/library.json')
    assert.equal(of?.code, 'PROTECTED')
    assert.match(of.message, /library close/)
    assert.ok(is('lib-theirs/Found.sdlibrary/library.json') && !is('lib-theirs/other') && is('lib-theirs/stays'))
    for (const _ of [1, 2]) {
      const again = await two.run('lib')
      assert.deepEqual([again.state, again.operations], ['converged', 0])
    }
    // Let go there it is nobody's any more, and goes.
    await two.bob.libraries.close(theirs)
    assert.equal((await two.run('lib')).state, 'converged')
    assert.ok(!is('lib-theirs/Found.sdlibrary'))
  })
})
