// What a text that was read may say and stay. Only under the policy `identifiers`: there a text stays only if it was
// read surely, consists of nothing but what an image needs (laterality, projection, measurement), and resembles no
// identifier of the patient. Everything else goes: in doubt, blank.

/** Laterality, projection, position and exposure, as technologists mark films. */
const ALLOWED: ReadonlySet<string> = new Set(
  `L R LT RT LEFT RIGHT AP PA LAT LATERAL OBL OBLIQUE LL RL LPO RPO LAO RAO CC MLO ML LM XCCL SUPINE PRONE ERECT UPRIGHT
  SEMI SEMI-UPRIGHT SEMIERECT PORTABLE PORT DECUB DECUBITUS STANDING SITTING WEIGHT BEARING FLEXION EXTENSION NEUTRAL
  INSPIRATION EXPIRATION INSP EXP SUP INF ANT POST HEAD FEET A P H F S I MM CM KV KVP MA MAS MS MSV MGY HZ MHZ KHZ DB FPS
  W C WL WW WC L: R: TI TE TR FA MI TIS TIB TIC GAIN DEPTH FREQ ZOOM FOV SL SP THK SCALE SEC X`.split(/\s+/),
)
/** A number, with a sign, a decimal part and a unit: no date, no telephone, no ID of more than four digits. */
const MEASURE = /^[+-]?\d{1,4}([.,]\d{1,3})?(MM|CM|M|S|MS|HZ|KHZ|MHZ|DB|KV|KVP|MA|MAS|%|X|°)?$/
const DATE = /\d{1,4}[./-]\d{1,2}[./-]\d{1,4}/

/** Readings below it are guesses. */
export const SURE = 0.85

export function isHarmless(text: string): boolean {
  const tokens = text
    .toUpperCase()
    .split(/[\s:=,;]+/)
    .filter((token) => token !== '')
  if (tokens.length === 0 || DATE.test(text)) return false
  const digits = text.replaceAll(/\D/g, '').length
  if (digits > 6) return false
  return tokens.every((token) => ALLOWED.has(token) || MEASURE.test(token))
}

/** Letters and digits that a detector mistakes for each other are the same; accents are lost. */
export function folded(text: string): string {
  return text
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toUpperCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '')
    .replaceAll(/[OQD]/g, '0')
    .replaceAll(/[IL|J]/g, '1')
    .replaceAll('Z', '2')
    .replaceAll('S', '5')
    .replaceAll('G', '6')
    .replaceAll('B', '8')
}

/** Words shorter than this resemble everything. */
const SHORTEST = 3
/** One mistake in so many letters. */
const LETTERS_A_MISTAKE = 4

/** `words`: values of the patient's identifiers, whole; their parts count each. */
export function matchesIdentifier(text: string, words: readonly string[]): boolean {
  const read = folded(text)
  return words
    .flatMap((word) => [word, ...word.split(/[\s^=,;\\/._-]+/)])
    .map(folded)
    .some((word) => word.length >= SHORTEST && resembles(read, word))
}

function resembles(read: string, word: string): boolean {
  if (read.includes(word)) return true
  const mistakes = Math.floor(word.length / LETTERS_A_MISTAKE)
  return mistakes > 0 && nearest(read, word) <= mistakes
}

/** Least edits that turn some part of `read` into `word` (Sellers). */
function nearest(read: string, word: string): number {
  let row = new Array<number>(read.length + 1).fill(0)
  for (let y = 1; y <= word.length; y++) {
    const next = [y]
    for (let x = 1; x <= read.length; x++) {
      const same = read[x - 1] === word[y - 1] ? 0 : 1
      next.push(Math.min((row[x - 1] ?? 0) + same, (row[x] ?? 0) + 1, (next[x - 1] ?? 0) + 1))
    }
    row = next
  }
  return Math.min(...row)
}
