import assert from 'node:assert/strict'
import type { Caller } from '../../../protocols/replica/client/caller.js'
import { RemoteStage } from '../../../protocols/replica/client/remote-stage.js'
import { rel } from '../../sync/endpoints/gather.js'

/** Answers when it is told to, in whatever order: how long each answer takes to be heard is up to the loop. */
class Answers {
  readonly asked: { readonly name: string; answer(value: unknown): void; fail(err: Error): void }[] = []
  readonly upBytes = 1024 * 1024

  call(name: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.asked.push({ name, answer: value => resolve({ value, data: new Uint8Array(0) }), fail: reject })
    })
  }

  answer(name: string, value: unknown): void {
    const at = this.asked.findIndex(call => call.name === name)
    this.asked.splice(at, 1)[0]!.answer(value)
  }
}

/** A file of which so much is there already. */
async function opened({ positionBytes }: { positionBytes: number }) {
  const answers = new Answers()
  const opening = new RemoteStage(answers as unknown as Caller, 'stage', 1).openFile(rel('film'), { sizeBytes: 100 })
  answers.answer('openFile', { writer: 1, positionBytes })
  return { answers, writer: await opening }
}

describe('the position of a file that is written at another device', () => {
  it('is its beginning once it was emptied, though an answer from before is heard after that', async () => {
    const { answers, writer } = await opened({ positionBytes: 7 })
    assert.equal(writer.positionBytes, 7)
    const before = writer.append(new Uint8Array(10))
    const restarted = writer.restart()
    answers.answer('restart', {})
    await restarted
    answers.answer('append', { positionBytes: 17 })
    await before
    assert.equal(writer.positionBytes, 0)
    const after = writer.append(new Uint8Array(5))
    answers.answer('append', { positionBytes: 5 })
    await after
    assert.equal(writer.positionBytes, 5)
  })

  it('nor does one that is heard after what came was found to be something else', async () => {
    const { answers, writer } = await opened({ positionBytes: 0 })
    const before = writer.appendStretch({ path: rel('old'), fromBytes: 0, lengthBytes: 10 })
    const finishing = writer.finish({})
    answers.asked
      .find(call => call.name === 'finish')!
      .fail(Object.assign(new Error('other'), { code: 'HASH_MISMATCH' }))
    await assert.rejects(finishing)
    answers.answer('appendStretch', { positionBytes: 10 })
    await before
    assert.equal(writer.positionBytes, 0)
  })
})
