import { type AbsPath, pathBytes, type RelPath, textFromBytes } from '../base/index.js'
import type { VolumeId, Volumes } from '../volumes/index.js'
import type { TrashRow } from './trash.worker.js'

/** Where a bin is, as rows keep it. */
export type BinPlace = Pick<TrashRow, 'bin' | 'volume' | 'within'>

/** Translates between paths of bins and what is stored of them: the data directory and volumes may move. */
export class Bins {
  readonly #volumes: Pick<Volumes, 'placementOf' | 'pathOf'>
  readonly #home: AbsPath

  /** @param home - the bin in the data directory */
  constructor(volumes: Pick<Volumes, 'placementOf' | 'pathOf'>, home: AbsPath) {
    this.#volumes = volumes
    this.#home = home
  }

  get home(): AbsPath {
    return this.#home
  }

  /** Of a bin that is there. */
  async placeOf(bin: AbsPath): Promise<BinPlace> {
    if (bin === this.#home) return { bin: null, volume: null, within: null }
    const placement = await this.#volumes.placementOf(bin).catch(() => undefined)
    return {
      bin: pathBytes(bin),
      volume: placement?.volume.id ?? null,
      within: placement === undefined ? null : pathBytes(placement.within)
    }
  }

  /** Where it is now; undefined while its volume is away. */
  async pathOf({ bin, volume, within }: BinPlace): Promise<AbsPath | undefined> {
    if (bin === null) return this.#home
    if (volume === null || within === null) return textFromBytes(bin) as AbsPath
    return this.#volumes.pathOf(volume as VolumeId, textFromBytes(within) as RelPath)
  }

  /** A path as it is now, of something that was recorded when the bin was at its old place: the volume may be mounted elsewhere. */
  moved(path: AbsPath, { bin }: BinPlace, now: AbsPath): AbsPath {
    if (bin === null) return path
    const old = textFromBytes(bin)
    let same = 0
    while (same < Math.min(old.length, now.length) && old.at(-1 - same) === now.at(-1 - same)) same++
    const [from, to] = [old.slice(0, old.length - same), now.slice(0, now.length - same)]
    return (path.startsWith(from) ? to + path.slice(from.length) : path) as AbsPath
  }
}
