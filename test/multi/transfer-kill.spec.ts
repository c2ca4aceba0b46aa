/** kill -9 of either side at random points: the transfer finishes, identical, without sending again what had arrived. */
import assert from 'node:assert/strict'
import { mkdirSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CHUNK_BYTES, CREDIT_BYTES, type Manifest } from '../../protocols/transfer/index.js'
import type { AbsPath, DeviceId } from '../../storage/base/index.js'
import { connectPeers, pairDirectly, testPeer } from '../peers.js'
import { newId, transferDevice } from '../protocols/transfer/devices.js'
import { tapped } from '../protocols/transfer/tap.js'
import { content, look } from '../protocols/transfer/trees.js'
import { type RoleContext, scenario } from '../scenario.js'

interface Plan {
  readonly id: string
  readonly device: DeviceId
  readonly manifest: Manifest
  readonly into: AbsPath
}

/** A device on data that the orchestrator made: nothing to clean, since it may be killed at any time. */
async function deviceOf({ dataDir }: RoleContext, onSend = (_: number): void => {}) {
  const peer = await testPeer({ name: 'role', dir: { path: dataDir as AbsPath, clean() {} } })
  const network = tapped(peer.network, onSend)
  return transferDevice(peer, { network, timings: { minRetryMs: 10, maxRetryMs: 100 } })
}

/** How many kills each run does: more only costs time, the points are random anyway. */
const KILLS = 3

for (const victim of ['sender', 'receiver'] as const) {
  scenario(import.meta.url, `kill -9 of the ${victim} at random points, then all is there`, {
    roles: {
      async sender(context) {
        const counter = openSync(join(context.board.dir, 'sent-bytes'), 'a')
        const device = await deviceOf(context, bytes => void writeSync(counter, `${bytes}\n`))
        const { id, device: to, manifest } = await context.board.expect<Plan>('sender-plan')
        const { peer, transfers } = device
        context.board.publish(`sender-up-${context.attempt}`, peer.network.status().listening)
        const done = await transfers.send({ id: id as never, device: to, manifest, selection: 'all', owner: 'test' })
        context.board.publish('sent', { files: done.files, problems: done.problems })
        await device.stop()
      },
      async receiver(context) {
        const device = await deviceOf(context)
        const { id, device: from, manifest, into } = await context.board.expect<Plan>('receiver-plan')
        context.board.publish(`receiver-up-${context.attempt}`)
        const done = await device.transfers.receive({
          ...{ id: id as never, device: from, manifest, selection: 'all', owner: 'test', into },
          keepExecutable: true
        })
        context.board.publish('received', { files: done.files, placed: done.placed })
        // The sender must still hear of it.
        await context.board.expect('sent')
        // What was staged goes in the background when the last kill came while it went.
        while (readdirSync(into).some(n => n.startsWith('.spacedrive-tmp-'))) await sleep(20)
        await device.stop()
      }
    },
    async run({ board, dir, start, finished }) {
      const tree = join(dir, 'tree')
      mkdirSync(tree)
      for (let i = 0; i < 3; i++) writeFileSync(join(tree, `large-${i}`), content(15_000_000 + i, 6 * i + 1))
      for (let i = 0; i < 1500; i++) {
        const folder = join(tree, `d${i % 40}`)
        mkdirSync(folder, { recursive: true })
        writeFileSync(join(folder, `f${i}`), content(1 + ((i * 7919) % 20_000), i))
      }
      const original = look(tree)
      const total = [...original.values()].reduce((n, f) => n + f.size, 0)
      const into = join(dir, 'in') as AbsPath
      mkdirSync(into)
      await prepareDevices(dir, tree, into, board.publish)

      const running = { sender: start('sender'), receiver: start('receiver') }
      for (let kill = 0; kill < KILLS && !board.has('received'); kill++) {
        await board.expect(`${victim}-up-${kill}`)
        await sleep(Math.random() * 1200)
        if (board.has(victim === 'sender' ? 'sent' : 'received')) break
        assert.deepEqual(
          readdirSync(into).filter(n => !n.startsWith('.spacedrive-tmp-') && n !== 'tree'),
          [],
          'only whole things and staging'
        )
        await running[victim].kill('SIGKILL')
        running[victim] = start(victim)
      }
      await finished(running.sender, running.receiver)
      assert.deepEqual(look(join(into, 'tree')), original)
      assert.deepEqual(readdirSync(into), ['tree'])
      const attempts = readdirSync(dir).filter(n => n.startsWith(`${victim}-up-`)).length
      const sent = readFileSync(join(dir, 'sent-bytes'), 'utf8')
        .split('\n')
        .reduce((n, line) => n + Number(line), 0)
      const most = total + 500_000 + (attempts - 1) * (CREDIT_BYTES + CHUNK_BYTES)
      assert.ok(sent < most, `${sent} bytes for ${total}, ${attempts} attempts`)
    }
  })
}

/** Both devices, paired and once connected, and the manifest on both: what a drop would have done before. */
async function prepareDevices(
  dir: string,
  tree: string,
  into: AbsPath,
  publish: (name: string, value: unknown) => void
): Promise<void> {
  const dirs = (['sender', 'receiver'] as const).map(role => join(dir, role))
  for (const path of dirs) mkdirSync(path)
  const [a, b] = await Promise.all(dirs.map(path => testPeer({ dir: { path: path as AbsPath, clean() {} } })))
  await pairDirectly(a!, b!)
  await connectPeers(a!, b!)
  const [sender, receiver] = [await transferDevice(a!), await transferDevice(b!)]
  const manifest = await sender.transfers.manifests.build([{ path: tree as AbsPath }])
  const theirs = await receiver.transfers.manifests.take(sender.transfers.manifests.pages(manifest))
  const id = newId()
  publish('sender-plan', { id, device: b!.id, manifest, into })
  publish('receiver-plan', { id, device: a!.id, manifest: theirs, into })
  await sender.stop()
  await receiver.stop()
}
