import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configKeys, defaultConfig, openSettings } from '../../../node/config/index.js'
import { tempDir } from '../../temp.js'

describe('settings', () => {
  let temp: ReturnType<typeof tempDir>
  let dataDir: string
  beforeEach(() => {
    temp = tempDir()
    dataDir = temp.path
  })
  afterEach(() => temp.clean())
  const write = (text: string): void => writeFileSync(join(dataDir, 'config.json'), text)
  const read = (): Record<string, unknown> => JSON.parse(readFileSync(join(dataDir, 'config.json'), 'utf8'))

  it('without a file everything is a default', () => {
    const settings = openSettings({ dataDir })
    assert.deepEqual(settings.config, defaultConfig)
    assert.ok(settings.list().every(s => s.source === 'default' && s.meaning !== ''))
  })

  it('a flag wins over the environment, that over the file, that over the default', () => {
    write('{"version":1,"network":{"mdns":false,"dht":false,"listen":["/ip4/127.0.0.1/tcp/1"]}}')
    const settings = openSettings({
      dataDir,
      env: { SPACEDRIVE_NETWORK_DHT: 'on', SPACEDRIVE_NETWORK_LISTEN: '/ip4/127.0.0.1/tcp/2,/ip6/::1/tcp/2' },
      flags: new Map([['network.dht', false]])
    })
    const by = Object.fromEntries(settings.list().map(s => [s.key, [s.value, s.source]]))
    assert.deepEqual(by['network.mdns'], [false, 'file'])
    assert.deepEqual(by['network.listen'], [['/ip4/127.0.0.1/tcp/2', '/ip6/::1/tcp/2'], 'environment'])
    assert.deepEqual(by['network.dht'], [false, 'flag'])
    assert.deepEqual(by['network.serveDht'], [false, 'default'])
  })

  it('each setting has a variable of its name', () => {
    const names = Object.fromEntries(configKeys.map(k => [k.key, k.variable]))
    assert.equal(names['network.serveDht'], 'SPACEDRIVE_NETWORK_SERVE_DHT')
    assert.equal(names['log.level'], 'SPACEDRIVE_LOG_LEVEL')
    assert.equal(new Set(Object.values(names)).size, configKeys.length)
    assert.equal(openSettings({ dataDir, env: { SPACEDRIVE_LOOPBACK: '1' } }).config.network.loopback, true)
  })

  it('a wrong value in the environment names the variable and what is allowed', () => {
    assert.throws(() => openSettings({ dataDir, env: { SPACEDRIVE_LOOPBACK: 'maybe' } }), {
      code: 'BAD_SETTING',
      message: /SPACEDRIVE_LOOPBACK: "maybe"/,
      hint: /true or false/
    })
  })

  it('set writes one value, keeps the others, and holds at once', async () => {
    write('{"version":1,"network":{"mdns":false}}')
    const settings = openSettings({ dataDir })
    const seen: boolean[] = []
    settings.onChange(config => seen.push(config.network.dht))
    const set = await settings.set('network.dht', false)
    assert.deepEqual([set.value, set.source, settings.config.network.dht], [false, 'file', false])
    assert.deepEqual(seen, [false])
    assert.deepEqual(read(), { version: 1, network: { mdns: false, dht: false } })
    assert.equal(statSync(join(dataDir, 'config.json')).mode & 0o777, 0o600)
    await settings.set('network.dht', undefined)
    assert.equal(settings.get('network.dht').source, 'default')
    assert.deepEqual(readdirSync(dataDir), ['config.json'])
  })

  it('what a person edited meanwhile is not undone', async () => {
    const settings = openSettings({ dataDir })
    write('{"version":1,"log":{"level":"debug"}}')
    await settings.set('network.mdns', false)
    assert.deepEqual(read(), { version: 1, log: { level: 'debug' }, network: { mdns: false } })
    assert.equal(settings.config.log.level, 'debug')
  })

  it('sets that come at once all stay', async () => {
    const settings = openSettings({ dataDir })
    const keys = ['network.mdns', 'network.dht', 'network.serveDht', 'network.loopback'] as const
    await Promise.all(keys.map(key => settings.set(key, true)))
    assert.deepEqual(read(), { version: 1, network: { mdns: true, dht: true, serveDht: true, loopback: true } })
  })

  it('a flag stays in force over what is written', async () => {
    const settings = openSettings({ dataDir, flags: new Map([['network.mdns', true]]) })
    const set = await settings.set('network.mdns', false)
    assert.deepEqual([set.value, set.source], [true, 'flag'])
    assert.deepEqual(read(), { version: 1, network: { mdns: false } })
  })

  for (const [why, text, code, message] of [
    ['no JSON', '{"version":1,\n  "network": {"mdns": tru}}', 'CONFIG_BROKEN', /line 2, column 23/],
    ['a list', '[]', 'CONFIG_BROKEN', /expected an object/],
    ['an empty file', '', 'CONFIG_BROKEN', /line 1, column 1/],
    ['a typo', '{"network":{"mdn":true}}', 'CONFIG_BROKEN', /"network\.mdn" \(did you mean "network\.mdns"\?\)/],
    ['a group that is none', '{"network":true}', 'CONFIG_BROKEN', /expected an object at "network"/],
    ['a wrong type', '{"network":{"mdns":"yes"}}', 'CONFIG_BROKEN', /network\.mdns.*true or false/],
    ['a value that is not allowed', '{"log":{"level":"loud"}}', 'CONFIG_BROKEN', /debug, info, warn, error/],
    ['a hostile key', '{"__proto__":{"mdns":true}}', 'CONFIG_BROKEN', /unknown key "__proto__/],
    ['a version that is no number', '{"version":"1"}', 'CONFIG_BROKEN', /"version" is not a number/],
    ['a version from before the first', '{"version":0}', 'CONFIG_BROKEN', /version 0/],
    ['a newer version', '{"version":2,"future":{}}', 'CONFIG_TOO_NEW', /version 2/]
  ] as const) {
    it(`a file with ${why} is refused and stays as it is`, () => {
      write(text)
      assert.throws(() => openSettings({ dataDir }), { code, message })
      assert.equal(readFileSync(join(dataDir, 'config.json'), 'utf8'), text)
    })
  }

  it('a file at the limit of its size is read, one byte more is refused', () => {
    const MIB = 1024 * 1024
    write(`{}${' '.repeat(MIB - 2)}`)
    openSettings({ dataDir })
    write(`{}${' '.repeat(MIB - 1)}`)
    assert.throws(() => openSettings({ dataDir }), { code: 'CONFIG_BROKEN', message: /more than/ })
  })

  it('a folder in its place is refused', () => {
    mkdirSync(join(dataDir, 'config.json'))
    assert.throws(() => openSettings({ dataDir }), { code: 'CONFIG_BROKEN', message: /not a regular file/ })
  })

  it('an unknown setting names the likely one, a group what is in it', () => {
    const settings = openSettings({ dataDir })
    assert.throws(() => settings.get('network.lisen'), { code: 'UNKNOWN_SETTING', hint: /"network\.listen"/ })
    assert.throws(() => settings.get('log'), { code: 'UNKNOWN_SETTING', hint: /log\.level/ })
    assert.throws(() => settings.get('constructor'), { code: 'UNKNOWN_SETTING' })
  })
})
