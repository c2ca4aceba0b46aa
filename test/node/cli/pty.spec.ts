import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { MAIN, testInstance } from '../../cli.js'
import { scriptArguments } from '../../pty.js'

const COLUMNS = 70
const ESC = '\u001b'

describe('on a terminal', () => {
  const instance = testInstance()
  const children: ChildProcess[] = []
  before(async () => {
    await instance.ok('start')
    await instance.ok('library', 'create', 'Main')
    const dir = `${instance.dataDir}-files`
    mkdirSync(dir)
    for (let i = 0; i < 50; i++) writeFileSync(`${dir}/${i}.bin`, Buffer.alloc(200_000, i))
    // Takes no room, and reading it takes long enough for bars to be drawn.
    writeFileSync(`${dir}/long`, '')
    truncateSync(`${dir}/long`, 2 ** 30)
    await instance.ok('location', 'add', dir, '--no-watch')
  })
  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await instance.clean()
  })

  /** Begins a command on a pseudo terminal. `leave` types Ctrl-C and gives all that it wrote, and what stty says after it. */
  function onTerminal(columns: number, ...words: string[]) {
    const command = [process.execPath, MAIN, '--data-dir', instance.dataDir, ...words].map(w => `'${w}'`).join(' ')
    // Ctrl-C reaches the shell as well: without the trap dash ends of it and never tells the code, bash goes on.
    const line = `trap : INT; stty rows 24 cols ${columns}; ${command}; echo "code=$?"; stty -a`
    const child = spawn('script', scriptArguments(line), {
      ...{ stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, NO_COLOR: '1', SHELL: '/bin/sh' } }
    })
    children.push(child)
    const ended = once(child, 'exit')
    let screen = ''
    child.stdout.on('data', chunk => {
      screen += chunk
    })
    return {
      async shows(text: RegExp): Promise<void> {
        while (!text.test(screen))
          await Promise.race([once(child.stdout, 'data'), ended.then(() => assert.fail(screen))])
      },
      async leave(): Promise<string> {
        child.stdin.write('\u0003')
        await ended
        return screen
      }
    }
  }

  it('job monitor: bars replace one another, a job that ended leaves a line, Ctrl-C gives the terminal back', async () => {
    const terminal = onTerminal(COLUMNS, 'job', 'monitor')
    await terminal.shows(/No jobs at work/)
    await instance.ok('location', 'rescan', `${instance.dataDir}-files`, '--force')
    await terminal.shows(/index default-files {2}completed\r\nNo jobs at work/)
    const screen = await terminal.leave()
    // The block that was drawn last is taken away before the word of the interrupt.
    assert.match(screen, new RegExp(`${ESC}\\[1A\r${ESC}\\[JInterrupted\\.\r\ncode=130`))
    assert.match(screen, /[^-]echo /)
    const drawn = screen.replace(new RegExp(`${ESC}\\[[0-9;]*[A-Za-z]|\r`, 'g'), '').split('\n')
    const bars = drawn.filter(line => line.includes('░') || line.includes('█'))
    assert.ok(bars.length > 0 && bars.every(line => line.length < COLUMNS), bars.join('\n'))
  })

  it('monitor on a terminal that does not know its size', async () => {
    const terminal = onTerminal(0, 'monitor')
    await terminal.shows(/networking off {2}no device is paired\r\n\r\nno jobs at work/)
    assert.match(await terminal.leave(), /Interrupted\.\r\ncode=130/)
  })
})
