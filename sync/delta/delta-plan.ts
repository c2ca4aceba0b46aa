import { type BlockList, blockKey } from './block-list.js'

/** A stretch of the file to be written: from the source, or found at `basisBytes` of a file that is there already. */
export interface DeltaPart {
  readonly fromBytes: number
  readonly lengthBytes: number
  /** undefined: it must travel. */
  readonly basisBytes?: number | undefined
}

/**
 * How `wanted` is put together with what `basis` has. Pure. The parts are `wanted` from its first byte to its last, as few as
 * they can be: what lies one behind the other in both is one part.
 */
export function planDelta(wanted: BlockList, basis: BlockList): readonly DeltaPart[] {
  const places = placesOf(basis)
  const parts: DeltaPart[] = []
  let fromBytes = 0
  for (const [i, lengthBytes] of wanted.lengths.entries()) {
    const last = parts.at(-1)
    const goesOn = last?.basisBytes === undefined ? undefined : last.basisBytes + last.lengthBytes
    const basisBytes = placeOf(places.get(blockKey(wanted, i)), lengthBytes, goesOn)
    if (last !== undefined && last.basisBytes === undefined && basisBytes === undefined)
      parts[parts.length - 1] = { ...last, lengthBytes: last.lengthBytes + lengthBytes }
    else if (last !== undefined && basisBytes !== undefined && basisBytes === goesOn)
      parts[parts.length - 1] = { ...last, lengthBytes: last.lengthBytes + lengthBytes }
    else parts.push({ fromBytes, lengthBytes, ...(basisBytes !== undefined && { basisBytes }) })
    fromBytes += lengthBytes
  }
  return parts
}

/** The parts from a position on: what lies before it is there already. */
export function partsFrom(parts: readonly DeltaPart[], positionBytes: number): readonly DeltaPart[] {
  return parts.flatMap(part => {
    const there = Math.max(0, positionBytes - part.fromBytes)
    if (there >= part.lengthBytes) return []
    const { fromBytes, lengthBytes, basisBytes } = part
    return [
      {
        ...{ fromBytes: fromBytes + there, lengthBytes: lengthBytes - there },
        ...(basisBytes !== undefined && { basisBytes: basisBytes + there })
      }
    ]
  })
}

/** Where a block lies: one place, or the first and the one behind which the last found block lay. */
interface Place {
  readonly length: number
  readonly at: number[]
}

/** Places of one content that are remembered: of a file that is one block again and again, more would help nobody. */
const MAX_PLACES = 4

function placesOf(basis: BlockList): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>()
  let at = 0
  for (const [i, length] of basis.lengths.entries()) {
    const key = blockKey(basis, i)
    const known = places.get(key)
    if (known === undefined) places.set(key, { length, at: [at] })
    else if (known.at.length < MAX_PLACES) known.at.push(at)
    at += length
  }
  return places
}

/** The place that goes on where the last one ended, if there is one; a block of another length has another content. */
function placeOf(place: Place | undefined, length: number, goesOn: number | undefined): number | undefined {
  if (place === undefined || place.length !== length) return undefined
  return goesOn !== undefined && place.at.includes(goesOn) ? goesOn : place.at[0]
}
