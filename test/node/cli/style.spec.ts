import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { cut, paint, style, width } from '../../../node/cli/style.js'
import { createTerminal, layOut, MAX_STDIN_BYTES } from '../../../node/cli/terminal.js'

const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

describe('text for a terminal', () => {
  it('nothing in a text reaches the terminal as a control, wherever it stands', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        assert.doesNotMatch(paint(text, true), CONTROLS)
        assert.doesNotMatch(paint(style.bold(text), false), CONTROLS)
        const colored = paint(style.color('red', text), true)
        assert.ok(colored.startsWith('\u001b[31m') && colored.endsWith('\u001b[39m'))
        assert.doesNotMatch(colored.slice(5, -5), CONTROLS)
      })
    )
  })

  for (const [why, text, shown] of [
    ['a colour', '\u001b[31mred', '\\x1b[31mred'],
    ['a hyperlink', '\u001b]8;;http://x\u0007x', '\\x1b]8;;http://x\\x07x'],
    ['the clipboard', '\u001b]52;c;eA==\u0007', '\\x1b]52;c;eA==\\x07'],
    ['a return over the line', 'safe\rrm -rf', 'safe\\x0drm -rf'],
    ['text that runs backwards', 'a\u202egpj.exe', 'a\\u202egpj.exe'],
    ['the 8 bit form of an escape', '\u009b31m', '\\x9b31m'],
    ['two lines', 'a\nb', 'a\\x0ab'],
    ['a name that is not UTF-8', 'a\udcff', 'a\\xff'],
    ['a mark like ours', '\ufdd01:31\ufdd1', '\ufdd01:31\ufdd1']
  ] as const) {
    it(`shows ${why} instead of obeying it`, () => assert.equal(paint(text, true), shown))
  }

  it('columns line up whatever is in them', () => {
    const [head, one, two] = layOut([
      { name: '日本', size: 5 },
      { name: style.color('green', 'ab'), size: 1234 }
    ]).map(line => paint(line, false))
    assert.deepEqual([head, one, two], ['NAME  SIZE', '日本     5', 'ab    1234'])
    assert.deepEqual(layOut([]), [])
  })

  it('a cut text is as wide as it may be, no wider', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 40 }), (text, columns) => {
        assert.ok(width(cut(text, columns)) <= columns)
        if (width(text) <= columns) assert.equal(cut(text, columns), text)
      })
    )
  })
})

describe('standard input', () => {
  const read = (bytes: number): Promise<Uint8Array> => {
    const mib = Buffer.alloc(2 ** 20)
    const parts = function* (): Generator<Buffer> {
      for (let left = bytes; left > 0; left -= mib.length) yield mib.subarray(0, left)
    }
    return createTerminal({ json: false, stdin: Readable.from(parts()) as never }).readStdin()
  }

  it(`is read whole up to ${MAX_STDIN_BYTES} bytes, one more is refused`, async () => {
    assert.equal((await read(MAX_STDIN_BYTES)).length, MAX_STDIN_BYTES)
    await assert.rejects(read(MAX_STDIN_BYTES + 1), { code: 'TOO_LARGE' })
  })
})
