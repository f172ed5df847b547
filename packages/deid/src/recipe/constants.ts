// Does a constant of a recipe fit a VR? PS3.5 Table 6.2-1, for the VRs that are text.

/** [form, characters]: `\` would make two values of one, control characters fit none of these. */
const FORMS: Readonly<Record<string, readonly [RegExp, number]>> = {
  AE: [/^[\x20-\x7e]*$/, 16],
  AS: [/^\d{3}[DWMY]$/, 4],
  CS: [/^[A-Z0-9 _]*$/, 16],
  DA: [/^\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/, 8],
  DS: [/^ *[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)? *$/, 16],
  DT: [/^\d{4}(?:(?:0[1-9]|1[0-2])(?:(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])?(?:[0-5]\d){0,2})?)?$/, 26],
  IS: [/^ *[+-]?\d+ *$/, 12],
  LO: [/^[^\p{Cc}]*$/u, 64],
  LT: [/^[^\p{Cc}]*$/u, 10_240],
  PN: [/^[^\p{Cc}]*$/u, 64],
  SH: [/^[^\p{Cc}]*$/u, 16],
  ST: [/^[^\p{Cc}]*$/u, 1024],
  TM: [/^(?:[01]\d|2[0-3])(?:[0-5]\d){0,2}$/, 16],
  UC: [/^[^\p{Cc}]*$/u, 10_240],
  UR: [/^[!-[\]-~]*$/, 10_240],
  UT: [/^[^\p{Cc}]*$/u, 10_240],
}

export function fitsVr(value: string, vr: string): boolean {
  const form = FORMS[vr]
  if (form === undefined || value.includes('\\')) return false
  return form[0].test(value) && [...value].length <= form[1]
}
