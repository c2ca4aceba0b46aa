import assert from 'node:assert/strict'
import { testInstance } from '../../cli.js'

describe('monitor', () => {
  const instance = testInstance()
  before(() => instance.ok('start', '--loopback'))
  after(() => instance.clean())

  for (const command of [['monitor'], ['job', 'monitor']]) {
    it(`${command.join(' ')} shows at once what there is, and Ctrl-C leaves it cleanly`, async () => {
      const running = instance.begin('--json', ...command)
      const first = JSON.parse(await running.line(/^\{/)) as { jobs: unknown[] }
      assert.deepEqual(first.jobs, [])
      running.child.kill('SIGINT')
      assert.equal((await running.ended).code, 130)
    })
  }
  it('monitor shows what happens while it runs', async () => {
    const running = instance.begin('--json', 'monitor')
    await running.line(/^\{/)
    await instance.ok('network', 'start')
    await running.line(/network:started/)
    running.child.kill('SIGINT')
    await running.ended
  })
  it('job monitor --until-idle ends by itself', async () => {
    assert.deepEqual(await instance.json('job', 'monitor', '--until-idle'), { ended: 0 })
  })
})
