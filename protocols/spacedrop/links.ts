/**
 * Does a link of an offer stay within the folder that was dropped? `path` is its place, `target` what it says. Inside is
 * only what leads there whatever else the offer holds: up to the top-level folder at most, then down. A target that goes
 * up again after going down (`a/..`) counts as outside, since `a` may itself be a link.
 */
export function staysInside(path: string, target: string): boolean {
  if (target === '' || target.startsWith('/') || /^[a-z]:|^\\\\/i.test(target)) return false
  const levels = path.split('/').length - 2 // folders between the top-level folder and the link
  let up = 0
  let down = false
  for (const name of target.split('/')) {
    if (name === '' || name === '.') continue
    if (name !== '..') down = true
    else if (down || ++up > levels) return false
  }
  // A link that lies at the top itself has no folder to stay in.
  return levels >= 0
}
