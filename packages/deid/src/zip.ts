// ZIP codes under HIPAA Safe Harbor, 45 CFR 164.514(b)(2)(i)(B): the first three digits where the area that they form
// holds more than 20,000 people by current Census data, else 000.
//
// The list: 3-digit ZCTAs of the 2020 Census, table P1 (total population) of the 2020 DHC summed over the 5-digit
// ZCTAs by their first three digits; those with at most 20,000 people. Recorded 2026-10; checked against two independently published
// copies. HHS's own guidance still prints the 17 areas of the 2000 Census (RESTRICTED_ZIP3_2000) and tells covered
// entities not to rely on it once newer data are out. A project with another list passes it.

/** 2020 Census. */
export const RESTRICTED_ZIP3: ReadonlySet<string> = new Set(
  '036 059 102 202 203 204 205 369 556 692 753 772 821 823 878 879 884 893'.split(' '),
)

/** 2000 Census, as in the HHS guidance of 2012-11-26; for those whose policy names it. */
export const RESTRICTED_ZIP3_2000: ReadonlySet<string> = new Set(
  '036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893'.split(' '),
)

/** Prefixes with no residents in any Census: never assigned (000-004), and military mail (AE, AA, AP). */
const NO_CENSUS_AREA = /^(?:00[0-4]|09\d|340|96[2-6])$/

/** '80303', '80303-1234', '803031234' → '803'; a restricted area → '000'; whatever is no US ZIP code → undefined. */
export function zip3(value: string, restricted: ReadonlySet<string> = RESTRICTED_ZIP3): string | undefined {
  const match = /^(\d{3})\d{2}(?:[- ]?\d{4})?$/.exec(value.replace(/\0/g, '').trim())
  const prefix = match?.[1]
  if (prefix === undefined) return undefined
  return restricted.has(prefix) || NO_CENSUS_AREA.test(prefix) ? '000' : prefix
}
