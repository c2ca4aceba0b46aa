import assert from 'node:assert/strict'
import { type PairedDaemon, runningPair } from '../../daemons.js'

interface Limits {
  limits: { name: string | null; up: number | null; down: number | null; schedule: string | null }[]
}

describe('network limit', () => {
  let ada: PairedDaemon
  runningPair('ada', 'bob', a => {
    ada = a
  })
  const told = async (...words: string[]): Promise<Limits['limits']> =>
    (await ada.json<Limits>('network', 'limit', ...words)).limits.map(({ name, up, down, schedule }) => ({
      ...{ name, up, down, schedule }
    }))

  it('is listed, set bit by bit, kept over a restart and taken away', async () => {
    assert.match(await ada.ok('network', 'limit'), /No limits/)
    const all = { name: null, up: 512_000, down: 2 * 1024 * 1024, schedule: '22:00-06:00' }
    assert.deepEqual(await told('--up', '500K', '--down', '2M', '--schedule', '22:00-06:00'), [all])
    const bob = { name: 'bob', up: 8_192, down: null, schedule: null }
    assert.deepEqual(await told('--device', 'bob', '--up', '8K/s'), [all, bob])
    await ada.ok('restart')
    assert.match(
      await ada.ok('network', 'limit'),
      /all together +500 KiB\/s +2\.00 MiB\/s +22:00-06:00\n *bob +8\.00 KiB\/s +- +always/
    )
    assert.deepEqual(await told('--schedule', 'always'), [{ ...all, schedule: null }, bob])
    assert.deepEqual(await told('--device', 'bob', '--up', 'none'), [{ ...all, schedule: null }])
    assert.deepEqual(await told('--up', 'none', '--down', 'none'), [])
  })

  it('what makes no sense is refused in words, and changes nothing', async () => {
    for (const [words, said] of [
      [['--up', 'fast'], /expected a rate such as 500K after --up, got "fast"/],
      [['--up', ''], /expected a rate such as 500K after --up, got ""/],
      [['--up', '0'], /expected a rate such as 500K/],
      [['--down', '7K'], /expected a rate from 8 KiB to 1 TiB a second/],
      [['--up', '1M', '--schedule', '25:00-26:00'], /expected hours such as 08:00-18:30/],
      [['--schedule', '08:00-18:00'], /expected a rate for these hours/],
      [['--device', 'nobody', '--up', '1M'], /nobody/]
    ] as const) {
      const { code, stderr } = await ada.run('network', 'limit', ...words)
      assert.ok(code === 2 || (words[0] === '--device' && code === 6), `${words.join(' ')}: ${code}`)
      assert.match(stderr, said)
    }
    assert.deepEqual(await told(), [])
  })
})
