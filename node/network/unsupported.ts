import { SpacedriveError } from '../../storage/base/index.js'

/** The words of a protocol's id before its version, and that: `/spacedrive/replica/1.1.0`. */
const PROTOCOL = /^(.+)\/(\d+)\.(\d+)\.(\d+)$/

interface Spoken {
  readonly family: string
  readonly version: readonly [number, number, number]
}

/**
 * A device does not speak a protocol: which of the two is to be brought up to date is told by the version of it that it does speak.
 * @param theirs - the protocols that it serves, as its hello tells
 */
export function unsupported(
  { name, theirs }: { readonly name: string; readonly theirs: ReadonlySet<string> },
  protocol: string,
  cause: unknown
): SpacedriveError {
  const wanted = spoken(protocol)
  const [other] = [...theirs]
    .map(spoken)
    .filter(p => p !== undefined && p.family === wanted?.family)
    .sort((a, b) => compare(b!, a!))
  // The very version that it told of when it connected: it does not serve it just now.
  if (wanted === undefined || other === undefined || compare(other, wanted) === 0)
    return new SpacedriveError('UNSUPPORTED', `${name} does not speak ${protocol}`, { cause })
  const isOlder = compare(other, wanted) < 0
  const both = `${wanted.family} is version ${other.version.join('.')} there and ${wanted.version.join('.')} here`
  const release = isOlder ? 'an older release of spacedrive' : 'a newer release of spacedrive than this device'
  return new SpacedriveError('UNSUPPORTED', `${name} runs ${release}: they cannot do this together`, {
    cause,
    hint: `Bring spacedrive up to date on ${isOlder ? name : 'this device'}: ${both}.`
  })
}

function spoken(protocol: string): Spoken | undefined {
  const [, family, ...numbers] = PROTOCOL.exec(protocol) ?? []
  if (family === undefined) return undefined
  const [major, minor, patch] = numbers.map(Number)
  return { family, version: [major!, minor!, patch!] }
}

function compare({ version: a }: Spoken, { version: b }: Spoken): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
}
