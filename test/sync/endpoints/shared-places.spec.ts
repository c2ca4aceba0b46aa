import assert from 'node:assert/strict'
import { letGoOfMemory } from '../../../storage/base/index.js'
import { givePlace, ownMemory, PLACE_BYTES, takePlace } from '../../../sync/endpoints/index.js'

describe('places of content that threads share', () => {
  it('one that was given back is taken again, one that was not never', () => {
    const [one, other] = [takePlace(), takePlace()]
    assert.notEqual(one, other)
    assert.equal(one.byteLength, PLACE_BYTES)
    givePlace(one)
    assert.equal(takePlace(), one)
    assert.notEqual(takePlace(), other)
    for (const place of [one, other]) givePlace(place)
  })

  it('given back twice it is taken once, and memory of others is no place', () => {
    const place = takePlace()
    for (const memory of [place, place, new SharedArrayBuffer(PLACE_BYTES), new ArrayBuffer(PLACE_BYTES)])
      givePlace(memory)
    const taken = Array.from({ length: 40 }, takePlace)
    assert.equal(new Set(taken).size, taken.length)
    for (const one of taken) givePlace(one)
  })

  it('at rest none is kept, and one that is out comes back', () => {
    const [out, place] = [takePlace(), takePlace()]
    givePlace(place)
    letGoOfMemory()
    givePlace(out)
    const taken = [takePlace(), takePlace()]
    assert.equal(taken[0], out)
    assert.notEqual(taken[1], place)
    for (const one of taken) givePlace(one)
  })

  it('content that is to change hands gets memory of its own, and its place is free', () => {
    const place = takePlace()
    const bytes = new Uint8Array(place, 3, 5).fill(7)
    const own = ownMemory(bytes)
    assert.ok(own.buffer instanceof ArrayBuffer)
    assert.equal(takePlace(), place)
    bytes.fill(8)
    assert.deepEqual([...own], [7, 7, 7, 7, 7])
    assert.equal(ownMemory(own), own)
    givePlace(place)
  })
})
