// Month names, so that a date found in a text can be written again in its own language, length and case.

export const ENGLISH_LONG: readonly string[] =
  'january february march april may june july august september october november december'.split(' ')
export const ENGLISH_SHORT: readonly string[] = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')

/** Each list is one language in one length; an earlier list wins where a name is in two. */
export const MONTH_LISTS: readonly (readonly string[])[] = [
  ENGLISH_SHORT,
  ENGLISH_LONG,
  'jan feb mar apr may jun jul aug sept oct nov dec'.split(' '),
  'jan feb mär apr mai jun jul aug sep okt nov dez'.split(' '),
  'januar februar märz april mai juni juli august september oktober november dezember'.split(' '),
  'jan feb mrz apr mai jun jul aug sep okt nov dez'.split(' '),
  'januar februar maerz april mai juni juli august september oktober november dezember'.split(' '),
  'janvier février mars avril mai juin juillet août septembre octobre novembre décembre'.split(' '),
  'janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre'.split(' '),
  'janv févr mars avr mai juin juil août sept oct nov déc'.split(' '),
  'ene feb mar abr may jun jul ago sep oct nov dic'.split(' '),
  'enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre'.split(' '),
  'gen feb mar apr mag giu lug ago set ott nov dic'.split(' '),
  'gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre'.split(' '),
  'jan fev mar abr mai jun jul ago set out nov dez'.split(' '),
  'janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro'.split(' '),
  'jan feb mrt apr mei jun jul aug sep okt nov dec'.split(' '),
  'januari februari maart april mei juni juli augustus september oktober november december'.split(' '),
]

const NUMBERS: ReadonlyMap<string, number> = new Map(
  MONTH_LISTS.toReversed().flatMap((list) => list.map((name, index) => [name, index + 1] as const)),
)

/** For a regular expression with the flags i and u: longer names first. */
export const MONTH_PATTERN = [...NUMBERS.keys()]
  .sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
  .join('|')

export function monthNumber(name: string): number | undefined {
  return NUMBERS.get(name.toLowerCase())
}

/** `name` as another month of the same list, in the same case. */
export function monthLike(name: string, month: number): string {
  const lower = name.toLowerCase()
  const list = MONTH_LISTS.find((names) => names.includes(lower)) ?? ENGLISH_LONG
  const other = list[month - 1] ?? ''
  if (name === lower) return other
  if (name === name.toUpperCase()) return other.toUpperCase()
  return other.charAt(0).toUpperCase() + other.slice(1)
}
