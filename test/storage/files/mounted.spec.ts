import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type FileName, ROOT } from '../../../storage/base/index.js'
import {
  type FileRoot,
  nodeDisk,
  openFiles,
  ownerTag,
  type PlaceResult,
  type PlaceStep
} from '../../../storage/files/index.js'
import { canMount, mountImage, type TestImage } from '../../mounts.js'
import { tempDir } from '../../temp.js'
import { type Kit, openKit, openKitIn, rel, spied } from './kit.js'
import { pack } from './pack.js'

const MIB = 2 ** 20
const codes = (results: readonly PlaceResult[]): string[] => results.map(r => (r.done ? 'done' : r.problem.code))
const visible = (dir: string): string[] =>
  readdirSync(dir)
    .filter(n => !n.startsWith('.') && n !== 'lost+found')
    .sort()

canMount('files on file systems of their own', () => {
  for (const fileSystem of ['ext4', 'tmpfs']) {
    describe(`a full disk: ${fileSystem}`, () => {
      let image: TestImage
      let place: ReturnType<typeof tempDir>
      let kit: Kit
      beforeEach(async () => {
        place = tempDir()
        image = mountImage(fileSystem, 16)
        image.mount(place.path)
        kit = await openKitIn(place.path, () => {})
      })
      afterEach(async () => {
        await kit.clean()
        image.clean()
        place.clean()
      })
      /** Names of staged files would mean nothing to a person. */
      const full = () => ({
        code: 'NO_SPACE',
        message: `could not write what comes into ${place.path}: the disk is full`
      })
      const small = (n: number) =>
        pack(Object.fromEntries(Array.from({ length: n }, (_, i) => [`s/${i}`, Buffer.alloc(16_384, i)])))

      it('small files: NO_SPACE, nothing has a name, and with room again the same goes through', async () => {
        writeFileSync(`${place.path}/filler`, Buffer.alloc(8 * MIB))
        const { entries, data } = small(900)
        await assert.rejects(kit.staging.write(entries, data), full())
        assert.deepEqual(visible(place.path), ['filler'])
        execFileSync('truncate', ['-s', '0', `${place.path}/filler`])
        const again = small(400)
        assert.deepEqual((await kit.staging.write(again.entries, again.data)).problems, [])
      })
      it('a large file: NO_SPACE, what arrived stays, and it goes on from there', async () => {
        writeFileSync(`${place.path}/filler`, Buffer.alloc(8 * MIB))
        const content = Buffer.alloc(12 * MIB, 7)
        const file = await kit.staging.openFile(rel('big'), { sizeBytes: content.length })
        const chunk = (at: number): Uint8Array => new Uint8Array(content.subarray(at, at + MIB / 4))
        const fill = async (): Promise<void> => {
          while (file.positionBytes < content.length) await file.append(chunk(file.positionBytes))
        }
        await assert.rejects(fill(), full())
        const { positionBytes } = file
        assert.ok(positionBytes > 0)
        execFileSync('truncate', ['-s', '0', `${place.path}/filler`])
        await fill()
        await file.finish({})
        await kit.staging.moveInto(ROOT, [{ from: 'big' as FileName }])
        assert.ok(readFileSync(`${place.path}/big`).equals(content))
      })
      it('the guard says no before anything is written, with the figures', async () => {
        await assert.rejects(kit.root.ensureSpace(1), (err: { code: string; details: Record<string, number> }) => {
          assert.equal(err.code, 'NO_SPACE')
          assert.deepEqual(Object.keys(err.details).sort(), ['freeBytes', 'neededBytes', 'reserveBytes', 'totalBytes'])
          assert.equal(err.details.reserveBytes, 512 * MIB)
          return true
        })
      })
    })
  }

  describe('a read-only disk', () => {
    it('is said, and nothing is changed', async () => {
      const place = tempDir()
      const image = mountImage('tmpfs', 4)
      image.mount(place.path)
      const kit = await openKitIn(place.path, () => {})
      try {
        await kit.stage({ a: '1' })
        execFileSync('mount', ['-o', 'remount,ro', place.path])
        await assert.rejects(kit.stage({ b: '2' }), { code: 'READ_ONLY' })
        await assert.rejects(kit.staging.moveInto(ROOT, [{ from: 'a' as FileName }]), { code: 'READ_ONLY' })
        const step: PlaceStep = { kind: 'create', path: rel('a'), from: kit.from('a') }
        assert.deepEqual(codes(await kit.root.place([step])), ['READ_ONLY'])
        assert.deepEqual(visible(place.path), [])
        execFileSync('mount', ['-o', 'remount,rw', place.path])
        assert.deepEqual(codes(await kit.root.place([step])), ['done'])
      } finally {
        await kit.clean()
        image.clean()
        place.clean()
      }
    })
    it('cannot be opened as a root', async () => {
      const place = tempDir()
      const image = mountImage('tmpfs', 4, 'ro')
      image.mount(place.path, 'ro')
      try {
        await assert.rejects(
          openKitIn(place.path, () => {}),
          { code: 'READ_ONLY' }
        )
      } finally {
        image.clean()
        place.clean()
      }
    })
  })

  describe('another file system within the root', () => {
    it('is not entered', async () => {
      const kit = await openKit()
      const image = mountImage('tmpfs', 4)
      mkdirSync(kit.at('other'))
      image.mount(kit.at('other'))
      try {
        await kit.stage({ a: '1' })
        const step: PlaceStep = { kind: 'create', path: rel('other/a'), from: kit.from('a') }
        assert.deepEqual(codes(await kit.root.place([step])), ['OTHER_FILE_SYSTEM'])
        await assert.rejects(kit.staging.moveInto(rel('other'), [{ from: 'a' as FileName }]), {
          code: 'OTHER_FILE_SYSTEM'
        })
        assert.deepEqual(readdirSync(kit.at('other')), [])
      } finally {
        image.clean()
        await kit.clean()
      }
    })
  })

  describe('an overlay: a file system whose sync of the whole cannot be trusted', () => {
    it('each file is synced as it is written, and everything else is the same', async () => {
      const [place, parts] = [tempDir(), tempDir()]
      const image = mountImage('tmpfs', 16)
      image.mount(parts.path)
      for (const part of ['lower', 'upper', 'work']) mkdirSync(`${parts.path}/${part}`)
      writeFileSync(`${parts.path}/lower/f`, 'old f')
      const options = ['lower', 'upper', 'work'].map(
        p => `${p === 'lower' || p === 'upper' ? `${p}dir` : 'workdir'}=${parts.path}/${p}`
      )
      execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options.join(), place.path])
      const synced: unknown[] = []
      const kit = await openKitIn(
        place.path,
        () => {},
        spied(nodeDisk(), (call, [what]) => {
          if (call === 'sync' && typeof what === 'number') synced.push(what)
          assert.notEqual(call, 'syncAll')
        })
      )
      try {
        assert.deepEqual([kit.root.capabilities.fileSystem, kit.root.capabilities.syncWhole], ['overlay', false])
        await kit.stage({ f: 'new f', c: 'new c', 'd/x': 'x' })
        assert.equal(synced.length, 3)
        const { kind, sizeBytes, mtimeNs } = nodeDisk().lstat(nodeDisk().openRoot(place.path), 'f')
        const results = await kit.root.place([
          {
            kind: 'replace',
            path: rel('f'),
            from: kit.from('f'),
            expected: { kind, sizeBytes, mtimeNs },
            aside: kit.from('old/f')
          },
          { kind: 'create', path: rel('c'), from: kit.from('c') }
        ])
        assert.deepEqual(codes(results), ['done', 'done'])
        await kit.staging.moveInto(ROOT, [{ from: 'd' as FileName }])
        assert.deepEqual(visible(place.path), ['c', 'd', 'f'])
        assert.equal(readFileSync(`${kit.staging.path}/tree/old/f`, 'utf8'), 'old f')
      } finally {
        await kit.clean()
        execFileSync('umount', ['-l', place.path])
        image.clean()
        place.clean()
        parts.clean()
      }
    })
  })

  describe('capabilities', () => {
    for (const fileSystem of ['ext4', 'tmpfs']) {
      it(`${fileSystem}: found by trying, and nothing is left behind`, async () => {
        const place = tempDir()
        const image = mountImage(fileSystem, 16)
        image.mount(place.path)
        const files = openFiles({ pool: undefined as never, owner: ownerTag('x'), disk: nodeDisk() })
        try {
          const root: FileRoot = await files.openRoot(place.path)
          const { exchange, noReplace, hardLinks, symlinks, modes, foldsCase, foldsUnicode, anyBytes } =
            root.capabilities
          assert.deepEqual(
            { exchange, noReplace, hardLinks, symlinks, modes, foldsCase, foldsUnicode, anyBytes },
            {
              exchange: true,
              noReplace: true,
              hardLinks: true,
              symlinks: true,
              modes: true,
              foldsCase: false,
              foldsUnicode: false,
              anyBytes: true
            }
          )
          assert.equal(root.capabilities.fileSystem, fileSystem)
          assert.equal(root.capabilities.timeStepNs, 1n)
          assert.deepEqual(
            readdirSync(place.path).filter(n => n !== 'lost+found'),
            []
          )
        } finally {
          await files.close()
          image.clean()
          place.clean()
        }
      })
    }
  })
})
