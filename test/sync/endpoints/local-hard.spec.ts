import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AbsPath } from '../../../storage/base/index.js'
import type { Endpoint } from '../../../sync/endpoints/index.js'
import { canMount, mountImage } from '../../mounts.js'
import { tempDir } from '../../temp.js'
import { bytesOf, gather, paths, rel } from './gather.js'
import { type LocalParts, localParts } from './local-fixture.js'

const READING = fileURLToPath(new URL('./reading-role.js', import.meta.url))
const SWAPPING = fileURLToPath(new URL('../../storage/files/swapping-role.js', import.meta.url))
const ROUNDS = 300

describe('a local endpoint in a hostile place', () => {
  let parts: LocalParts
  let temp: ReturnType<typeof tempDir>
  let endpoint: Endpoint
  before(async () => {
    parts = await localParts()
  })
  after(() => parts.close())
  beforeEach(async () => {
    temp = tempDir()
    mkdirSync(join(temp.path, 'root'))
    endpoint = await parts.open(join(temp.path, 'root') as AbsPath)
  })
  afterEach(async () => {
    await endpoint.close()
    temp.clean()
  })

  it('a folder that is none, is not there or belongs to the program is refused', async () => {
    writeFileSync(join(temp.path, 'file'), '')
    symlinkSync('root', join(temp.path, 'link'))
    await assert.rejects(parts.open(join(temp.path, 'file') as AbsPath), { code: 'NOT_A_DIRECTORY' })
    await assert.rejects(parts.open(join(temp.path, 'none') as AbsPath), { code: 'MISSING' })
    parts.ours.push(temp.path)
    await assert.rejects(parts.open(join(temp.path, 'link') as AbsPath), { code: 'OURS' })
    parts.ours.length = 0
    const through = await parts.open(join(temp.path, 'link') as AbsPath)
    assert.equal(through.shown, join(temp.path, 'root'), 'the way to the root may lead over links')
    await through.close()
  })

  it('a directory that is swapped for a link all the time never shows what is behind it', async () => {
    const [dir, outside] = [join(temp.path, 'root/dir'), join(temp.path, 'outside')]
    mkdirSync(dir)
    mkdirSync(outside)
    writeFileSync(join(dir, 'file'), 'ours')
    for (const name of ['file', 'secret']) writeFileSync(join(outside, name), 'theirs')
    const attacker = spawn(process.execPath, [SWAPPING, dir, outside], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(attacker.stdout!, 'data')
    try {
      const seen = new Set<string>()
      for (let i = 0; i < ROUNDS; i++) {
        for (const path of paths(await gather(endpoint.walk(rel(''))))) seen.add(path)
        const { data, files } = await endpoint.readPack([rel('dir/file'), rel('dir/secret')])
        for (const file of files) {
          if (file.problem === undefined) {
            assert.equal(Buffer.from(data).toString('utf8', file.offset, file.offset + file.length), 'ours')
          } else assert.ok(['MISSING', 'LINK_IN_PATH', 'NOT_A_FILE'].includes(file.problem.code), file.problem.code)
        }
      }
      assert.deepEqual(
        [...seen].filter(path => !['', 'dir', 'dir.real', 'dir/file', 'dir.real/file'].includes(path)),
        []
      )
    } finally {
      const exited = once(attacker, 'exit')
      attacker.stdin!.end()
      await exited
    }
  })

  const withoutRoot = process.getuid?.() === 0 ? it : undefined
  if (withoutRoot === undefined) process.stderr.write('\n  NOT RUN: giving up root needs root\n\n')
  withoutRoot?.('what may not be looked at is unknown with its reason, and the rest is shown', () => {
    const root = join(temp.path, 'root')
    for (const dir of ['closed', 'listed', 'open']) mkdirSync(join(root, dir))
    for (const file of ['closed/x', 'listed/x', 'open/secret', 'open/z']) writeFileSync(join(root, file), 'x')
    for (const [path, mode] of [
      ['closed', 0o000],
      ['listed', 0o744],
      ['open/secret', 0o000]
    ] as const) {
      chmodSync(join(root, path), mode)
    }
    chmodSync(root, 0o755)
    chmodSync(temp.path, 0o755)
    const { stdout, stderr, status } = spawnSync(process.execPath, [READING, root], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    assert.deepEqual(JSON.parse(stdout), {
      shown: [
        ['', 'directory', ''],
        ['closed', 'unreadable', 'NO_PERMISSION'],
        ['listed', 'directory', ''],
        ['listed/x', 'unreadable', 'NO_PERMISSION'],
        ['open', 'directory', ''],
        ['open/secret', 'file', ''],
        ['open/z', 'file', '']
      ],
      looked: ['NO_PERMISSION', 'file'],
      list: 'NO_PERMISSION',
      read: 'NO_PERMISSION',
      packed: 'NO_PERMISSION',
      capabilities: 'NO_PERMISSION'
    })
  })
})

canMount('a local endpoint with a file system mounted below it', () => {
  it('what is mounted is unknown and not entered, unless asked for', async () => {
    const temp = tempDir()
    const parts = await localParts()
    const image = mountImage('ext4', 8)
    try {
      mkdirSync(join(temp.path, 'mounted'))
      image.mount(join(temp.path, 'mounted'))
      writeFileSync(join(temp.path, 'mounted/file'), 'x')
      const endpoint = await parts.open(temp.path)
      const told = async (options: object): Promise<unknown[]> =>
        (await gather(endpoint.walk(rel(''), options))).map(e => [e.path, e.unknown])
      assert.deepEqual(await told({}), [
        ['', undefined],
        ['mounted', 'other-file-system']
      ])
      assert.deepEqual(await told({ otherFileSystems: true }), [
        ['', undefined],
        ['mounted', undefined],
        ['mounted/file', undefined],
        ['mounted/lost+found', 'file-system']
      ])
      assert.equal((await bytesOf(endpoint.read(rel('mounted/file')))).toString(), 'x')
      await endpoint.close()
    } finally {
      image.clean()
      await parts.close()
      temp.clean()
    }
  })
})
