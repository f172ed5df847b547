// ZIP codes under HIPAA Safe Harbor, 45 CFR 164.514(b)(2)(i)(B): the first three digits where the area that they form
// holds more than 20,000 people by current Census data, else 000.
//
// The list: 2020 Census, Demographic and Housing Characteristics File, table P1, summed over the 5-digit ZCTAs by
// their first three digits; those with at most 20,000 people. Recorded 2026-11-23. HHS's own guidance still prints the 17 areas of the 2000 Census (RESTRICTED_ZIP3_2000) and tells covered
// entities not to rely on it once newer data are out. A project with another list passes it.

/** 2020 Census. */
export const RESTRICTED_ZIP3: ReadonlySet<string> = new Set(
  '036 059 102 202 203 204 205 369 556 692 753 772 821 823 878 879 884 893'.split(' '),
)

/** 2000 Census, as in the HHS guidance of 2012-11-26; for those whose policy names it. */
export const RESTRICTED_ZIP3_2000: ReadonlySet<string> = new Set(
  '036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893'.split(' '),
)

/**
 * The 106 prefixes for which the same table has no area (unassigned, military, single organisations, and the Island
 * Areas, which it does not cover): nobody is counted there, so that "more than 20,000" cannot be shown.
 */
const NO_CENSUS_AREA: ReadonlySet<string> = new Set(
  `000 001 002 003 004 005 008 055 090 091 092 093 094 095 096 097 098 099 192 213 269 311 332 340 343 345 348 353
375 399 419 428 429 459 509 517 518 519 529 533 536 552 555 568 569 578 579 589 621 632 642 643 649 659 663 682 694
695 696 697 698 699 702 709 715 732 733 742 771 817 818 819 839 842 848 849 854 858 861 862 866 867 868 869 872 876
885 886 887 888 889 892 896 899 901 909 929 938 942 962 963 964 965 966 969 987`.split(/\s/),
)

/** '80303', '80303-1234', '803031234' → '803'; a restricted area → '000'; whatever is no US ZIP code → undefined. */
export function zip3(value: string, restricted: ReadonlySet<string> = RESTRICTED_ZIP3): string | undefined {
  const match = /^(\d{3})\d{2}(?:[- ]?\d{4})?$/.exec(value.replace(/\0/g, '').trim())
  const prefix = match?.[1]
  if (prefix === undefined) return undefined
  return restricted.has(prefix) || NO_CENSUS_AREA.has(prefix) ? '000' : prefix
}
