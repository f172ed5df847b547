// Person names (PS3.5 6.2.1) as they are compared: up to three groups joined by '=', each of five components joined
// by '^'; case and composition of characters do not matter (PS3.4 C.2.2.2.1 leaves both to us), padding neither.

/** Longer starts of a component are told apart after decryption. */
export const MAX_PREFIX = 8
const MAX_GROUPS = 3
const MAX_COMPONENTS = 5
const UNIT = '\u001f'

export function normaliseName(name: string): string {
  return name
    .split('=')
    .map((group) => group.split('^').map(normaliseComponent).join('^').replace(/\^+$/, ''))
    .join('=')
    .replace(/=+$/, '')
}

function normaliseComponent(text: string): string {
  return text.toUpperCase().normalize('NFC').trim()
}

/** 'DOE^JANE' → 0 D, 0 DO, 0 DOE, 1 J, 1 JA, …: of all groups together, as a query without '=' matches any. */
export function prefixesOf(name: string): readonly string[] {
  const groups = normaliseName(name).split('=').slice(0, MAX_GROUPS)
  return groups.flatMap((group) =>
    group
      .split('^')
      .slice(0, MAX_COMPONENTS)
      .flatMap((component, index) => {
        const letters = [...component].slice(0, MAX_PREFIX)
        return letters.map((_, end) => prefix(index, letters.slice(0, end + 1)))
      }),
  )
}

/** What every matching name has a token for: the literal start of the pattern, component by component. */
export function wantedPrefixes(pattern: string): readonly string[] {
  const groups = normaliseName(pattern).split('=').slice(0, MAX_GROUPS)
  return groups.flatMap((group) => {
    const literal = /^[^*?]*/.exec(group)?.[0] ?? ''
    return literal
      .split('^')
      .slice(0, MAX_COMPONENTS)
      .flatMap((component, index) => {
        const letters = [...component].slice(0, MAX_PREFIX)
        return letters.length === 0 ? [] : [prefix(index, letters)]
      })
  })
}

function prefix(index: number, letters: readonly string[]): string {
  return `${index}${UNIT}${letters.join('')}`
}

/** PS3.4 C.2.2.2.4. A pattern with '=' is compared group by group, where an empty group matches all. */
export function nameMatcher(pattern: string): (name: string) => boolean {
  const wanted = normaliseName(pattern).split('=')
  const tests = wanted.map((group) => (group === '' ? () => true : wildcard(group)))
  return (name) => {
    const groups = normaliseName(name).split('=')
    const [only] = tests
    if (tests.length === 1 && only !== undefined) return groups.some((group) => only(group))
    return tests.every((matches, index) => matches(groups[index] ?? ''))
  }
}

/** `*` is any run of characters, none too; `?` is one character. Linear in the text times the stars' number. */
export function wildcard(pattern: string): (text: string) => boolean {
  const want = [...pattern]
  return (text) => {
    const have = [...text]
    let [i, j, star, mark] = [0, 0, -1, 0]
    while (i < have.length) {
      if (want[j] === '*') {
        star = j++
        mark = i
      } else if (j < want.length && (want[j] === '?' || want[j] === have[i])) {
        i++
        j++
      } else if (star >= 0) {
        j = star + 1
        i = ++mark
      } else {
        return false
      }
    }
    while (want[j] === '*') j++
    return j === want.length
  }
}
