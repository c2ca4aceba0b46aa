import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  belonging,
  type IdentityStore,
  MAX_PASSWORD_BYTES,
  openIdentityStore,
  readPasswordFile,
  suppliedPassword
} from '../../../node/identity/index.js'
import { type DeviceId, systemClock, systemRandom } from '../../../storage/base/index.js'
import { tempDir } from '../../temp.js'

describe('the identity', () => {
  let dir: ReturnType<typeof tempDir>
  let file: string
  const open = (): Promise<IdentityStore> =>
    openIdentityStore({ dataDir: dir.path, clock: systemClock, random: systemRandom })
  beforeEach(() => {
    dir = tempDir()
    file = join(dir.path, 'identity.key')
  })
  afterEach(() => dir.clean())

  it('is made once, with mode 0600 whatever the umask, and is the same after a restart', async () => {
    const before = process.umask(0)
    try {
      const store = await open()
      assert.equal(store.state(), 'none')
      const { device } = await store.create({})
      assert.equal(statSync(file).mode & 0o777, 0o600)
      assert.match(device, /^12D3KooW/)
      assert.equal((await (await open()).unlock()).device, device)
      await assert.rejects(store.create({}), { code: 'IDENTITY_EXISTS' })
    } finally {
      process.umask(before)
    }
  })

  it('sealed: locked after a restart, opened by its password alone; the seed is not in the file', async () => {
    const store = await open()
    const { device, seed } = await store.create({ password: 'pässword' })
    assert.equal(readFileSync(file, 'utf8').includes(Buffer.from(seed).toString('base64')), false)
    const again = await open()
    assert.equal(again.state(), 'locked')
    assert.equal(again.device, device)
    assert.equal(again.identity, undefined)
    await assert.rejects(again.unlock(), { code: 'LOCKED_IDENTITY' })
    await assert.rejects(again.unlock('password'), { code: 'WRONG_PASSWORD' })
    // The same password, composed the other way.
    assert.equal((await again.unlock('p\u0061\u0308ssword')).device, device)
    await again.setPassword(undefined)
    assert.equal((await open()).state(), 'unlocked')
  })

  it('a password that is empty or too long is refused, and nothing is made', async () => {
    const store = await open()
    await assert.rejects(store.create({ password: '' }), { code: 'PASSWORD_EMPTY' })
    await assert.rejects(store.create({ password: 'x'.repeat(MAX_PASSWORD_BYTES + 1) }), { code: 'PASSWORD_TOO_LONG' })
    assert.equal(store.state(), 'none')
  })

  it('what it seals opens with the same purpose alone, and with no other key', async () => {
    const store = await open()
    const identity = await store.create({})
    const secret = new Uint8Array(32).fill(7)
    const sealed = identity.seal(secret, 'pair x 1')
    assert.deepEqual(identity.open(sealed, 'pair x 1'), secret)
    assert.throws(() => identity.open(sealed, 'pair x 2'), { code: 'SECRET_UNREADABLE' })
    assert.throws(() => identity.open(sealed.subarray(0, 10), 'pair x 1'), { code: 'SECRET_UNREADABLE' })
    const other = await store.replace({})
    assert.throws(() => other.open(sealed, 'pair x 1'), { code: 'SECRET_UNREADABLE' })
  })

  it('replaced: the old key is kept in the backups, for this user alone', async () => {
    const store = await open()
    const { device } = await store.create({})
    const old = readFileSync(file, 'utf8')
    assert.notEqual((await store.replace({})).device, device)
    const [name] = readdirSync(join(dir.path, 'backups'))
    assert.equal(readFileSync(join(dir.path, 'backups', name!), 'utf8'), old)
    assert.equal(statSync(join(dir.path, 'backups', name!)).mode & 0o777, 0o600)
  })

  for (const [why, code, spoil] of [
    ['others may read it', 'KEY_FILE_EXPOSED', () => chmodSync(file, 0o640)],
    ['others may write it', 'KEY_FILE_EXPOSED', () => chmodSync(file, 0o602)],
    ['it is cut off', 'KEY_FILE_DAMAGED', () => writeFileSync(file, readFileSync(file).subarray(0, 40))],
    ['it is empty', 'KEY_FILE_DAMAGED', () => writeFileSync(file, '')],
    ['it is hostile JSON', 'KEY_FILE_DAMAGED', () => writeFileSync(file, '{"__proto__":{"seed":"x"},"version":1}')],
    ['it is too long', 'KEY_FILE_DAMAGED', () => writeFileSync(file, 'x'.repeat(5000))],
    ['it is of a newer version', 'KEY_FILE_NEWER', () => writeFileSync(file, '{"version":2}')]
  ] as [string, string, () => void][]) {
    it(`${why}: nothing is made anew, and the cure is named`, async () => {
      await (await open()).create({})
      spoil()
      const before = readFileSync(file)
      const store = await open()
      assert.equal(store.state(), 'unreadable')
      assert.equal(store.identity, undefined)
      await assert.rejects(store.create({}), { code })
      await assert.rejects(store.unlock(), { code })
      assert.deepEqual(readFileSync(file), before)
    })
  }

  it('a key file at its limit is read, one byte more is refused', async () => {
    const { device } = await (await open()).create({})
    const text = readFileSync(file, 'utf8').trimEnd()
    writeFileSync(file, text.padEnd(4_096))
    assert.equal((await open()).device, device)
    writeFileSync(file, text.padEnd(4_097))
    assert.equal((await open()).state(), 'unreadable')
  })

  it('an id in the file that is not that of its key is noticed when it is opened', async () => {
    await (await open()).create({})
    writeFileSync(file, readFileSync(file, 'utf8').replace(/12D3KooW../, '12D3KooWzz'))
    await assert.rejects((await open()).unlock(), { code: 'KEY_FILE_DAMAGED' })
  })

  it('a symlink in its place is refused', async () => {
    const other = tempDir()
    const store = await openIdentityStore({ dataDir: other.path, clock: systemClock, random: systemRandom })
    await store.create({})
    symlinkSync(join(other.path, 'identity.key'), file)
    assert.equal((await open()).state(), 'unreadable')
    other.clean()
  })

  it('a file that asks for a weak or a huge scrypt is refused', async () => {
    await (await open()).create({ password: 'x' })
    const text = readFileSync(file, 'utf8')
    for (const n of [2 ** 16, 2 ** 21, 2 ** 17 + 1]) {
      writeFileSync(file, text.replace(/"N":\d+/, `"N":${n}`))
      assert.equal((await open()).state(), 'unreadable', `${n}`)
    }
  })
})

describe('lost halves', () => {
  const [x, y] = ['x' as DeviceId, 'y' as DeviceId]
  for (const [key, database, state, code] of [
    [undefined, undefined, 'new', undefined],
    [x, x, 'same', undefined],
    [x, undefined, 'database-lost', undefined],
    [undefined, x, 'key-lost', 'IDENTITY_LOST'],
    [x, y, 'other', 'IDENTITY_MISMATCH']
  ] as const) {
    it(`key ${key ?? 'none'}, database ${database ?? 'none'}: ${state}`, () => {
      const found = belonging(key, database)
      assert.equal(found.state, state)
      assert.equal(found.error?.code, code)
    })
  }
})

describe('the password', () => {
  const dir = tempDir()
  after(() => dir.clean())
  const written = (text: string): string => {
    const path = join(dir.path, 'password')
    writeFileSync(path, text)
    return path
  }
  it('is the first line of its file', async () => {
    assert.equal(await readPasswordFile(written('two words\r\nmore\n')), 'two words')
    await assert.rejects(readPasswordFile(written('\nx')), { code: 'PASSWORD_EMPTY' })
    await assert.rejects(readPasswordFile(written('x'.repeat(MAX_PASSWORD_BYTES + 1))), { code: 'PASSWORD_UNREADABLE' })
    await assert.rejects(readPasswordFile(join(dir.path, 'none')), { code: 'PASSWORD_UNREADABLE' })
  })
  it('is taken out of the environment', async () => {
    const env = { SPACEDRIVE_PASSWORD: 'secret' } as NodeJS.ProcessEnv
    assert.equal(await suppliedPassword(env), 'secret')
    assert.deepEqual(env, {})
  })
  it('or comes as a credential of systemd', async () => {
    writeFileSync(join(dir.path, 'spacedrive-password'), 'from systemd\n')
    assert.equal(await suppliedPassword({ CREDENTIALS_DIRECTORY: dir.path }), 'from systemd')
    assert.equal(await suppliedPassword({ CREDENTIALS_DIRECTORY: join(dir.path, 'none') }), undefined)
    assert.equal(await suppliedPassword({}), undefined)
  })
})
