/** Real file systems for a test: small images mounted through a loop device. Needs root and mount; the group is named when it cannot run. */
import { spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, openSync } from 'node:fs'
import { tempDir } from './temp.js'

export interface TestImage {
  /** The image itself; to be written to only while it is not mounted. */
  readonly file: string
  mount(place: string, ...options: string[]): void
  /** As soon as nobody reads there any more. @throws when somebody still does after a while */
  unmount(): Promise<void>
  /** Unmounts and removes the image; safe to call at any time. */
  clean(): void
}

/** So long what is about to be closed may keep a disk in use, on a busy machine too; who holds it longer is found out. */
const IN_USE_MS = 120_000
/** That it was closed is no event. */
const LOOK_AGAIN_MS = 20

/** Makes an image of `mib` MiB with that file system. `mkfs` holds further arguments of mkfs. */
export function mountImage(fileSystem: string, mib: number, ...mkfs: string[]): TestImage {
  const dir = tempDir('sd-image-')
  const file = `${dir.path}/image`
  const fd = openSync(file, 'w')
  ftruncateSync(fd, mib * 2 ** 20)
  closeSync(fd)
  try {
    if (fileSystem !== 'tmpfs') must(`mkfs.${fileSystem}`, [...quiet(fileSystem), ...mkfs, file])
  } catch (err) {
    dir.clean() // nobody is given what could remove it
    throw err
  }
  let mounted: string | undefined
  const unmount = async (): Promise<void> => {
    if (mounted === undefined) return
    await unmountOnceFree(mounted)
    mounted = undefined
  }
  return {
    file,
    mount(place, ...options) {
      if (fileSystem === 'tmpfs')
        must('mount', ['-t', 'tmpfs', '-o', [`size=${mib}m`, ...options].join(','), 'tmpfs', place])
      else must('mount', ['-o', ['loop', ...options].join(','), file, place])
      mounted = place
    },
    unmount,
    clean() {
      if (mounted !== undefined) spawnSync('umount', ['-l', mounted])
      dir.clean()
    }
  }
}

/** `describe` for a group that mounts ext4 images; names the group and the reason where that cannot be done. */
export function canMount(title: string, body: (this: Mocha.Suite) => void): void {
  describeOr(title, mountMissing(), body)
}

/** Likewise for a group that mounts images of another kind. */
export function canMountKind(
  title: string,
  { fileSystem, mib, mkfs }: { fileSystem: string; mib: number; mkfs: readonly string[] },
  body: (this: Mocha.Suite) => void
): void {
  describeOr(title, mountMissing() ?? kindMissing(fileSystem, mib, ...mkfs), body)
}

function describeOr(title: string, missing: string | undefined, body: (this: Mocha.Suite) => void): void {
  if (missing === undefined) describe(title, body)
  else process.stderr.write(`\n  NOT RUN: "${title}": ${missing}\n\n`)
}

let checked: { missing: string | undefined } | undefined

/** Undefined when images can be mounted here, else why not. */
export function mountMissing(): string | undefined {
  checked ??= { missing: kindMissing('ext4', 8) }
  return checked.missing
}

/** Undefined when an image of that kind can be mounted here, else why not. */
export function kindMissing(fileSystem: string, mib: number, ...mkfs: readonly string[]): string | undefined {
  if (process.platform !== 'linux') return 'loop mounts are tested on Linux only'
  if (process.getuid?.() !== 0) return 'mounting needs root'
  const place = tempDir('sd-probe-')
  try {
    const image = mountImage(fileSystem, mib, ...mkfs)
    try {
      image.mount(place.path)
      must('umount', [place.path])
      return undefined
    } finally {
      image.clean()
    }
  } catch (err) {
    return (err as Error).message.split('\n')[0]
  } finally {
    place.clean()
  }
}

async function unmountOnceFree(place: string): Promise<void> {
  for (const untilMs = performance.now() + IN_USE_MS; ; await new Promise(r => setTimeout(r, LOOK_AGAIN_MS))) {
    try {
      return must('umount', [place])
    } catch (err) {
      if (!/busy/.test(String(err)) || performance.now() > untilMs) throw err
    }
  }
}

function quiet(fileSystem: string): string[] {
  if (fileSystem.startsWith('ext')) return ['-q', '-F']
  if (fileSystem === 'btrfs' || fileSystem === 'xfs') return ['-q', '-f']
  return []
}

function must(command: string, args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}
