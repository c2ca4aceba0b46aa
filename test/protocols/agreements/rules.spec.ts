import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { syncRequests } from '../../../node/operations/sync-requests.js'
import { syncRule, syncRules, syncUnrule } from '../../../node/operations/sync-rules.js'
import type { AbsPath } from '../../../storage/base/index.js'
import { MAX_SYNC_RULES } from '../../../sync/serving/index.js'
import { nextEvent } from '../../peers.js'
import { type Asked, TwoDevices } from './two-devices.js'

describe('rules for syncs that another device asks for', () => {
  const two = new TwoDevices()
  before(async () => {
    await two.start()
    for (const dir of ['shared', 'shared/narrow', 'elsewhere', 'goes']) mkdirSync(two.at(dir), { recursive: true })
    symlinkSync(two.at('elsewhere'), two.at('shared/link'))
  })
  after(() => two.clean())

  const ada = () => two.ada.network.localDevice
  const bob = () => ({ peer: two.bob, signal: new AbortController().signal, emit() {} }) as never
  const rule = (path: string, access: 'read' | 'write', modes: Asked['mode'][], versions?: string) =>
    syncRule.run(bob(), { device: ada(), path: two.at(path), access, modes, versions })
  const asked = (mode: Asked['mode'], theirs: string, side: Asked['side'] = 'destination'): Asked => ({
    ...{ mode, theirs, side },
    mine: `mine-${theirs.replaceAll('/', '-')}-${mode}-${side}`
  })
  const whyAsked = async (name: string): Promise<string | null | undefined> =>
    (await syncRequests.run(bob(), {})).requests.find(r => r.name === name)?.asksBecause

  it('without one each request waits; nobody says why', async () => {
    await two.ask('first', asked('mirror', 'shared/first'))
    assert.equal(await whyAsked('first'), null)
  })

  it('what none takes waits for a person, who is told why; it stays so while others are taken', async () => {
    await rule('shared', 'write', ['mirror', 'backup'], 'simple:3')
    await rule('shared/narrow', 'read', ['mirror'])
    await rule('goes', 'write', ['mirror', 'backup'])
    rmSync(two.at('goes'), { recursive: true })
    const cases: [string, Asked, RegExp][] = [
      ['mode', asked('bidirectional', 'shared/a'), /not for the mode bidirectional/],
      ['outside', asked('mirror', 'elsewhere/a'), /no rule is for that folder/],
      ['dots', asked('mirror', 'shared-not/a'), /nor the one that would hold it/],
      ['below-link', asked('mirror', 'shared/link/a'), /no rule is for that folder/],
      ['narrow', asked('mirror', 'shared/narrow/a'), /may only read/],
      ['nothing', asked('mirror', 'shared/nothing', 'source'), /no such folder to read/],
      ['gone', asked('mirror', 'goes'), /which the rule is for, is not there/]
    ]
    for (const [name, request, why] of cases) {
      await two.ask(name, request)
      assert.match((await whyAsked(name)) ?? 'taken', why, name)
    }
    // A driver that keeps to no rules asks for what ours would not.
    const hostile = { ...two.bob.served.list()[0]!, askedPath: two.at('shared/.spacedrive-tmp-x') }
    const verdict = await two.bob.syncRules.judge(hostile)
    assert.match((!verdict.take && verdict.why) || 'taken', /belongs to spacedrive/)
    mkdirSync(two.at('goes'))
    mkdirSync(two.at('other'))
    renameSync(two.at('goes'), two.at('was'))
    renameSync(two.at('other'), two.at('goes'))
    await two.ask('replaced', asked('backup', 'goes'))
    assert.match((await whyAsked('replaced'))!, /another folder than the one/)
    // Messages come in their order: all of them were looked at when this one is accepted.
    const [accepted, told] = [nextEvent(two.bob, 'sync:accepted'), nextEvent(two.ada, 'sync:accepted')]
    const { uuid } = await two.ask('taken', asked('mirror', 'shared/new'))
    assert.equal((await accepted).by, 'rule')
    await told
    const served = two.bob.served.find(ada(), uuid)!
    assert.deepEqual([served.folder?.path, served.versions], [two.at('shared/new'), 'simple:3'])
    assert.deepEqual(
      two.bob.served.list().flatMap(s => (s.folder === undefined ? [] : [s.name])),
      ['taken']
    )
    two.put('mine-shared-new-mirror-destination/a', 'a')
    assert.equal((await two.run('taken')).state, 'converged')
    const [entry] = await two.bob.audit.list({ command: 'sync.accept' })
    assert.deepEqual([entry?.origin, entry?.outcome, entry?.paths], [ada(), 'done', [two.at('shared/new')]])
    assert.equal(entry?.details?.rule, two.at('shared'))
  })

  it('what a rule takes and cannot be had waits for a person, and is in the log', async () => {
    for (const dir of ['shared/own', 'copy']) mkdirSync(two.at(dir))
    await two.bob.syncs.add({
      ...{ name: 'own', mode: 'mirror', policy: 'keep-both', ignore: [], maxDeletePercent: 50, manual: true },
      ...{ source: two.at('shared/own'), destination: two.at('copy') }
    })
    const request = await two.ask('overlaps', asked('mirror', 'shared/own/below'))
    // The next one is answered after it.
    const accepted = nextEvent(two.bob, 'sync:accepted')
    await two.ask('next', asked('backup', 'shared/next'))
    await accepted
    assert.equal(two.bob.served.get(request.id)?.folder, undefined)
    assert.match((await whyAsked('overlaps'))!, /could not be accepted/)
    const refused = (await two.bob.audit.list({ command: 'sync.accept' })).find(e => e.outcome === 'failed')
    assert.equal(refused?.error?.code, 'ENDS_OVERLAP')
  })

  it('a folder that is ours, and one that is none, get no rule; a link is its folder', async () => {
    await assert.rejects(
      async () => syncRule.run(bob(), { device: ada(), path: two.bob.dataDir, access: 'read', modes: ['mirror'] }),
      { code: 'OURS' }
    )
    await assert.rejects(async () => rule('not-there', 'read', ['mirror']), { code: 'MISSING' })
    await assert.rejects(async () => rule('elsewhere', 'read', ['mirror'], 'simple:3'), { code: 'USAGE' })
    assert.equal((await rule('shared/link', 'read', ['mirror', 'backup'])).path, two.at('elsewhere'))
    await syncUnrule.run(bob(), { device: ada(), path: two.at('elsewhere') })
    await assert.rejects(async () => syncUnrule.run(bob(), { device: ada(), path: two.at('elsewhere') }), {
      code: 'NOT_FOUND'
    })
    const { rules } = await syncRules.run(bob(), { device: ada() })
    assert.deepEqual(rules.map(r => r.path).sort(), [two.at('goes'), two.at('shared'), two.at('shared/narrow')].sort())
  })

  it(`a device has at most ${MAX_SYNC_RULES}`, async () => {
    const { list, set } = two.bob.syncRules
    const make = (n: number) => {
      const path = two.at(`many-${n}`) as AbsPath
      mkdirSync(path, { recursive: true })
      return set({ device: ada(), path, modes: ['mirror'], access: 'read', versions: undefined })
    }
    for (let n = list(ada()).length; n < MAX_SYNC_RULES; n++) await make(n)
    await assert.rejects(make(MAX_SYNC_RULES), { code: 'TOO_MANY' })
    await make(MAX_SYNC_RULES - 1)
  })

  it('a device that is revoked while a rule takes its request has neither grant nor sync nor rule afterwards', async () => {
    const { judge } = two.bob.syncRules
    const ended = new Promise<void>(resolve => {
      const { end } = two.bob.audit
      Object.assign(two.bob.audit, {
        async end(...args: Parameters<typeof end>) {
          await end.apply(two.bob.audit, args)
          resolve()
        }
      })
    })
    Object.assign(two.bob.syncRules, {
      async judge(sync: Parameters<typeof judge>[0]) {
        const verdict = await judge(sync)
        assert.ok(verdict.take)
        await two.bob.devices.revoke(ada())
        return verdict
      }
    })
    await two.ask('late', asked('mirror', 'shared/late'))
    await ended
    assert.deepEqual(two.bob.syncRules.list(), [])
    assert.deepEqual(two.bob.grants.list(), [])
    assert.deepEqual(two.bob.served.list(), [])
  })
})
