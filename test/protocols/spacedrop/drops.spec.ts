import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { type Offer, spacedropLimits } from '../../../protocols/spacedrop/index.js'
import type { AbsPath } from '../../../storage/base/index.js'
import { nextEvent } from '../../peers.js'
import { arrived, type DropPair, dropPair, ended } from './devices.js'

describe('spacedrop', () => {
  let pair: DropPair
  let count = 0

  before(async () => {
    pair = await dropPair()
  })
  after(() => pair.clean())

  /** A fresh folder of things to send. */
  const fresh = (): string => {
    const dir = join(pair.sources, `s${++count}`)
    mkdirSync(dir)
    return dir
  }
  const send = (...paths: string[]): Promise<Offer> =>
    pair.ada.drops.offer(pair.bob.peer.id, { kind: 'files', paths: paths as AbsPath[] })

  it('the receiver sees names, sizes and the sender before any byte; accepted, it all arrives', async () => {
    const dir = fresh()
    mkdirSync(join(dir, 'sub/empty'), { recursive: true })
    writeFileSync(join(dir, 'a.txt'), 'hello')
    writeFileSync(join(dir, 'sub/b.bin'), Buffer.alloc(300_000, 7))
    symlinkSync('a.txt', join(dir, 'link'))
    const offer = await send(dir)
    const theirs = await arrived(pair.bob, offer)
    assert.equal(theirs.state, 'pending')
    assert.equal(theirs.device, pair.ada.peer.id)
    assert.deepEqual(theirs.totals, { entries: 6, files: 2, directories: 3, symlinks: 1, bytes: 300_005 })
    assert.equal(existsSync(pair.bob.downloads), false)
    await pair.bob.drops.accept(theirs, {})
    const [ours, done] = await Promise.all([ended(pair.ada, offer), ended(pair.bob, theirs)])
    assert.deepEqual([ours.state, done.state], ['completed', 'completed'])
    const at = join(pair.bob.downloads, dir.split('/').at(-1)!)
    assert.equal(readFileSync(join(at, 'a.txt'), 'utf8'), 'hello')
    assert.deepEqual(readFileSync(join(at, 'sub/b.bin')), Buffer.alloc(300_000, 7))
    assert.equal(readlinkSync(join(at, 'link')), 'a.txt')
    assert.deepEqual(readdirSync(join(at, 'sub/empty')), [])
    assert.deepEqual(done.result?.placed, [at])
    assert.deepEqual([done.result?.files, done.result?.bytes, done.problemCount], [2, 300_005, 0])
  })

  it('declined: nothing arrives, and the sender learns just that', async () => {
    const file = join(fresh(), 'no.txt')
    writeFileSync(file, 'x')
    const offer = await send(file)
    await pair.bob.drops.end(await arrived(pair.bob, offer))
    const ours = await ended(pair.ada, offer)
    assert.deepEqual([ours.state, ours.message], ['declined', undefined])
    assert.equal(existsSync(join(pair.bob.downloads, 'no.txt')), false)
    await assert.rejects(pair.bob.drops.accept({ ...offer, device: pair.ada.peer.id, direction: 'in' }, {}), {
      code: 'OFFER_OVER'
    })
  })

  it('withdrawn before an answer: it is over there too', async () => {
    const file = join(fresh(), 'w.txt')
    writeFileSync(file, 'x')
    const offer = await send(file)
    const theirs = await arrived(pair.bob, offer)
    const over = ended(pair.bob, theirs)
    await pair.ada.drops.end(offer)
    assert.deepEqual([(await over).state, (await ended(pair.ada, offer)).state], ['cancelled', 'cancelled'])
  })

  it('only what fits the patterns; a name that is taken gets a number; no executable bit unless asked for', async () => {
    const dir = fresh()
    writeFileSync(join(dir, 'a.jpg'), 'one')
    writeFileSync(join(dir, 'b.txt'), 'two')
    writeFileSync(join(dir, 'run.jpg'), '#!/bin/sh\n')
    chmodSync(join(dir, 'run.jpg'), 0o755)
    const top = dir.split('/').at(-1)!
    for (const [i, keepExecutable] of [false, true].entries()) {
      const offer = await send(dir)
      await pair.bob.drops.accept(await arrived(pair.bob, offer), { only: ['*.jpg'], keepExecutable })
      assert.equal((await ended(pair.ada, offer)).state, 'completed')
      const at = join(pair.bob.downloads, i === 0 ? top : `${top} (1)`)
      assert.deepEqual(readdirSync(at).sort(), ['a.jpg', 'run.jpg'])
      assert.equal((statSync(join(at, 'run.jpg')).mode & 0o111) !== 0, keepExecutable)
    }
  })

  it('links that leave the folder are left out and listed, unless they are wanted', async () => {
    const dir = fresh()
    symlinkSync('/etc/passwd', join(dir, 'out'))
    symlinkSync('../x', join(dir, 'up'))
    writeFileSync(join(dir, 'f'), 'f')
    const first = await send(dir)
    const theirs = await arrived(pair.bob, first)
    assert.deepEqual(
      theirs.problems.map(p => [p.path.split('/').at(-1), p.code]),
      [
        ['out', 'LINK_LEFT_OUT'],
        ['up', 'LINK_LEFT_OUT']
      ]
    )
    await pair.bob.drops.accept(theirs, { to: pair.bob.downloads })
    const done = await ended(pair.bob, theirs)
    assert.deepEqual([done.problemCount, readdirSync(done.result!.placed[0]!)], [2, ['f']])
    const again = await send(dir)
    await pair.bob.drops.accept(await arrived(pair.bob, again), { links: true })
    const all = await ended(pair.bob, await arrived(pair.bob, again))
    assert.equal(readlinkSync(join(all.result!.placed[0]!, 'out')), '/etc/passwd')
    assert.equal(all.problemCount, 0)
  })

  it('a text joins the messages, at both ends, and is no file anywhere', async () => {
    const text = 'two lines\nand \u001b[31m'
    const offer = await pair.ada.drops.offer(pair.bob.peer.id, { kind: 'text', text })
    const theirs = await arrived(pair.bob, offer)
    assert.equal(theirs.kind, 'text')
    await pair.bob.drops.accept(theirs, {})
    await Promise.all([ended(pair.ada, offer), ended(pair.bob, theirs)])
    const { texts } = await pair.bob.messages.texts({ unread: true, limit: 10 })
    assert.deepEqual(
      texts.map(t => [t.text, t.direction]),
      [[text, 'in']]
    )
    assert.equal((await pair.ada.messages.texts({ limit: 1 })).texts[0]?.direction, 'out')
    assert.deepEqual(readdirSync(join(pair.bob.peer.dir, 'spacedrop/texts')), [])
  })

  it('the longest text passes, one byte more is refused here', async () => {
    const { MAX_TEXT_BYTES } = spacedropLimits
    const to = pair.bob.peer.id
    await assert.rejects(pair.ada.drops.offer(to, { kind: 'text', text: 'x'.repeat(MAX_TEXT_BYTES + 1) }), {
      code: 'TOO_LARGE'
    })
    await assert.rejects(pair.ada.drops.offer(to, { kind: 'text', text: '' }), { code: 'EMPTY' })
    const offer = await pair.ada.drops.offer(to, { kind: 'text', text: 'x'.repeat(MAX_TEXT_BYTES) })
    await pair.bob.drops.accept(await arrived(pair.bob, offer), {})
    assert.equal((await ended(pair.ada, offer)).state, 'completed')
  })

  it('a rule takes what is within its limits and asks about the rest', async () => {
    const dir = fresh()
    writeFileSync(join(dir, 'small.txt'), 'x'.repeat(10))
    writeFileSync(join(dir, 'large.txt'), 'x'.repeat(11))
    await pair.bob.drops.setRule(pair.ada.peer.id, { mode: 'always', maxBytes: 10, types: ['text'] })
    const small = await send(join(dir, 'small.txt'))
    assert.equal((await ended(pair.ada, small)).state, 'completed')
    const asked = await send(join(dir, 'large.txt'))
    const large = await arrived(pair.bob, asked)
    assert.equal(large.state, 'pending')
    await pair.bob.drops.end(large)
    await ended(pair.ada, asked)
    await pair.bob.drops.dropRule(pair.ada.peer.id)
  })

  it('what a rule lets in is judged by its content: it waits unseen until a person says so', async () => {
    const dir = fresh()
    // A program that calls itself a picture, and a picture that is one.
    writeFileSync(
      join(dir, 'program.png'),
      Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01', 'latin1'), Buffer.alloc(5_000)])
    )
    writeFileSync(join(dir, 'picture.gif'), Buffer.from('GIF89a\x01\x00\x01\x00\x80\x00\x00', 'latin1'))
    await pair.bob.drops.setRule(pair.ada.peer.id, { mode: 'always', types: ['image'] })
    const good = await send(join(dir, 'picture.gif'))
    assert.equal((await ended(pair.ada, good)).state, 'completed')
    const take = async (): Promise<Offer> => {
      const before = readdirSync(pair.bob.downloads).filter(n => !n.startsWith('.spacedrive'))
      const theirs = await arrived(pair.bob, await send(join(dir, 'program.png')))
      const held = await ended(pair.bob, theirs)
      assert.deepEqual([held.state, held.code], ['held', 'KIND_REFUSED'])
      assert.match(held.message ?? '', /program\.png holds executable/)
      assert.deepEqual(
        readdirSync(pair.bob.downloads).filter(n => !n.startsWith('.spacedrive')),
        before
      )
      return held
    }
    const first = await take()
    await pair.bob.drops.end(first)
    assert.equal((await ended(pair.ada, { ...first, device: pair.bob.peer.id, direction: 'out' })).state, 'cancelled')
    const second = await take()
    pair.bob = await pair.bob.restart()
    await pair.bob.drops.accept(second, {})
    assert.equal((await ended(pair.bob, second)).state, 'completed')
    assert.equal(existsSync(join(pair.bob.downloads, 'program.png')), true)
    const third = await take()
    await pair.ada.drops.end({ ...third, device: pair.bob.peer.id, direction: 'out' })
    await pair.bob.drops.dropRule(pair.ada.peer.id)
    while (pair.bob.drops.find(third)?.state === 'held') await new Promise(r => setTimeout(r, 20))
    assert.equal(pair.bob.drops.find(third)?.state, 'cancelled')
    // The staged content goes right after the state has changed.
    const staged = (): string[] => readdirSync(pair.bob.downloads).filter(n => n.startsWith('.spacedrive'))
    while (staged().length > 0) await new Promise(r => setTimeout(r, 20))
  })

  it('a path that is not there, nothing to send, a folder that cannot be', async () => {
    await assert.rejects(send('/nowhere/at/all'), { code: 'NOT_FOUND' })
    const file = join(fresh(), 'f')
    writeFileSync(file, 'x')
    const offer = await send(file)
    const theirs = await arrived(pair.bob, offer)
    await assert.rejects(pair.bob.drops.accept(theirs, { to: '/nowhere/at/all' as AbsPath }), { code: 'NOT_FOUND' })
    await assert.rejects(pair.bob.drops.accept(theirs, { to: file as AbsPath }), { code: 'NOT_A_FOLDER' })
    await assert.rejects(pair.bob.drops.accept(theirs, { to: join(pair.bob.peer.dir, 'x') as AbsPath }), {
      code: 'OURS'
    })
    await assert.rejects(pair.bob.drops.accept(theirs, { only: ['[x'] }), { code: 'BAD_PATTERN' })
    await assert.rejects(pair.bob.drops.accept(theirs, { only: ['*.none'] }), { code: 'NOTHING_LEFT' })
    assert.equal(pair.bob.drops.resolve(theirs.id.slice(0, 8)).state, 'pending')
    await pair.bob.drops.end(theirs)
    await ended(pair.ada, offer) // heard there: it does not wait for an answer any more
  })

  it('an offer that is over while its names are listed, or judged, is over, and no file is missed', async () => {
    const file = join(fresh(), 'f')
    writeFileSync(file, 'x')
    const lists = (): string[] =>
      readdirSync(pair.bob.peer.dir, { recursive: true }).flatMap(f =>
        String(f).endsWith('.manifest') ? [String(f)] : []
      )
    const listed = await arrived(pair.bob, await send(file))
    const pages = pair.bob.drops.entries(listed)[Symbol.asyncIterator]()
    await pair.bob.drops.end(listed)
    while (lists().length > 0) await new Promise(r => setTimeout(r, 5)) // it goes beside it
    await assert.rejects(async () => pages.next(), { code: 'OFFER_OVER' })
    for (let i = 0; i < 20; i++) {
      const offer = await send(file)
      const theirs = await arrived(pair.bob, offer)
      const over = pair.ada.drops.end(offer)
      for (let n = 0; n < i; n++) await new Promise(resolve => setImmediate(resolve))
      const ends = await Promise.allSettled([
        pair.bob.drops.accept(theirs, { to: pair.bob.downloads }),
        pair.bob.drops.judge(theirs, { to: pair.bob.downloads }),
        pair.bob.drops.end(theirs),
        over
      ])
      for (const end of ends)
        if (end.status === 'rejected') assert.equal((end.reason as { code: string }).code, 'OFFER_OVER')
      await Promise.all([ended(pair.ada, offer), ended(pair.bob, theirs)])
    }
  })

  it('offers that wait are bounded, here before anything is sent', async () => {
    const file = join(fresh(), 'f')
    writeFileSync(file, 'x')
    const open: Offer[] = []
    for (let i = 0; i < spacedropLimits.MAX_OPEN_OFFERS_PER_DEVICE; i++) open.push(await send(file))
    await assert.rejects(send(file), { code: 'TOO_MANY' })
    for (const offer of open) await pair.ada.drops.end(offer)
  })

  it('an offer waits for a device that is away, over a restart, and is made when it is back', async () => {
    const file = join(fresh(), 'late.txt')
    writeFileSync(file, 'late')
    await pair.bob.peer.network.stop()
    const offer = await send(file)
    assert.equal(offer.state, 'waiting')
    pair.ada = await pair.ada.restart()
    await pair.bob.peer.network.start()
    const theirs = await arrived(pair.bob, offer)
    await pair.bob.drops.accept(theirs, {})
    assert.equal((await ended(pair.ada, offer)).state, 'completed')
    assert.equal(readFileSync(join(pair.bob.downloads, 'late.txt'), 'utf8'), 'late')
  })

  it('accepted while the sender is away: it hears of it when it is back', async () => {
    const file = join(fresh(), 'meanwhile.txt')
    writeFileSync(file, 'm')
    const offer = await send(file)
    const theirs = await arrived(pair.bob, offer)
    await pair.ada.peer.network.stop()
    await pair.bob.drops.accept(theirs, {})
    pair.bob = await pair.bob.restart()
    await pair.ada.peer.network.start()
    assert.equal((await ended(pair.bob, theirs)).state, 'completed')
    assert.equal((await ended(pair.ada, offer)).state, 'completed')
  })

  it('accepted after it was withdrawn unheard: it is over, nothing is left', async () => {
    const file = join(fresh(), 'gone.txt')
    writeFileSync(file, 'g')
    const offer = await send(file)
    const theirs = await arrived(pair.bob, offer)
    await pair.ada.peer.network.stop()
    await pair.ada.drops.end(offer)
    await pair.bob.drops.accept(theirs, {})
    await pair.ada.peer.network.start()
    assert.equal((await ended(pair.bob, theirs)).state, 'cancelled')
    assert.equal(existsSync(join(pair.bob.downloads, 'gone.txt')), false)
  })

  it('a revoked device: its offers, what moves, and its rule go', async () => {
    const file = join(fresh(), 'r.txt')
    writeFileSync(file, 'r')
    await pair.bob.drops.setRule(pair.ada.peer.id, { mode: 'always' })
    const received = nextEvent(pair.bob.peer, 'transfer:completed')
    const first = await send(file)
    await received
    await ended(pair.ada, first)
    await pair.bob.drops.setRule(pair.ada.peer.id, { mode: 'ask' })
    const theirs = await arrived(pair.bob, await send(file))
    await pair.bob.drops.forget(pair.ada.peer.id)
    assert.equal((await ended(pair.bob, theirs)).code, 'REVOKED')
    assert.equal(pair.bob.drops.hasRule(pair.ada.peer.id), false)
    assert.equal(existsSync(join(pair.bob.downloads, 'r.txt')), true)
  })
})
