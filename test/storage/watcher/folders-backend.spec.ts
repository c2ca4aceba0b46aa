import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { AbsPath } from '../../../storage/base/index.js'
import type { BackendSink } from '../../../storage/watcher/backend.js'
import { FoldersBackend } from '../../../storage/watcher/folders-backend.js'
import type { WatchCoverage } from '../../../storage/watcher/index.js'
import { tempDir } from '../../temp.js'

describe('FoldersBackend', () => {
  const dir = tempDir()
  after(() => dir.clean())

  it('a queue that ran over: everything is watched anew and looked at', async () => {
    const root = `${dir.path}/overflow` as AbsPath
    mkdirSync(`${root}/sub`, { recursive: true })
    const hints: string[] = []
    let wake = (): void => {}
    const sink: BackendSink = {
      hint(path, subtree) {
        hints.push(`${path}${subtree ? '/**' : ''}`)
        wake()
      },
      coverage() {},
      rootLost() {}
    }
    const backend = new FoldersBackend(root, sink, 100)
    await backend.start()
    // Without a turn of the loop in between, as when a program writes faster than we read.
    for (let i = 0; i < 60; i++) writeFileSync(`${root}/sub/${i}`, 'x')
    while (!hints.includes('/**')) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
    hints.length = 0
    writeFileSync(`${root}/sub/after`, 'x')
    while (!hints.includes('sub/after')) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
    await backend.stop()
  })

  const limited = spawnSync('unshare', ['-U', '-r', 'sh', '-c', 'echo 20 > /proc/sys/user/max_inotify_watches'])
  if (limited.status !== 0) {
    process.stderr.write(
      '\n  NOT RUN: "no more watches": user namespaces with a limit of their own cannot be made here\n\n'
    )
  } else {
    it('no more watches: says so with the cure, and still tells what is in the folders it has', async () => {
      const root = `${dir.path}/limited`
      for (let i = 0; i < 60; i++) mkdirSync(`${root}/f${i}`, { recursive: true })
      const child = fileURLToPath(new URL('./limit-child.js', import.meta.url))
      const script = `echo 20 > /proc/sys/user/max_inotify_watches && exec "${process.execPath}" "${child}" "${root}"`
      const spawned = spawn('unshare', ['-U', '-r', 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'inherit'] })
      let coverage: WatchCoverage | undefined
      for await (const line of createInterface({ input: spawned.stdout })) {
        const said = JSON.parse(line) as { coverage?: WatchCoverage; ready?: true; path?: string }
        coverage = said.coverage ?? coverage
        if (said.ready) writeFileSync(`${root}/here`, 'x')
        if (said.path === 'here') spawned.stdin.write('\n')
      }
      assert.equal(coverage?.complete, false)
      assert.ok(coverage.uncovered.length > 0)
      assert.equal(coverage.problem?.code, 'WATCH_LIMIT')
      assert.match(coverage.problem.hint!, /fs\.inotify\.max_user_watches/)
    })
  }
})
