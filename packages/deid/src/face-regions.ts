// What parts of a body the words and codes of a header name, as far as it matters for faces.  text | code → Region
//
// The tables are data: a site that writes another word gets another row. A word that names the head wins over one that
// names something else, once the joints and bones that are called heads and necks are taken out.

/** near: the face may be at the edge of the picture; whole: a body with its head on. */
export type Region = 'head' | 'whole' | 'near' | 'other' | 'unknown'

/**
 * The field of view that a head is usually scanned with, in mm, for slices that name no body part. Knees and wrists
 * are narrower, chests and abdomens wider. CT begins lower for dental cone beam. What lies in between and is no head (a
 * shoulder, a heart, a small abdomen) is flagged; a head in a wider field without any word is not: the price of few
 * false alarms.
 */
export const HEAD_LIKE_FIELD = {
  CT: { min: 160, max: 300 },
  MR: { min: 180, max: 300 },
  PT: { min: 180, max: 350 },
} as const

type Row = { readonly region: Exclude<Region, 'unknown'>; readonly codes: string }

/** SCT of CID 4031 and neighbours, and the SRT codes that older files hold. */
const CODES: readonly Row[] = [
  { region: 'head', codes: '69536005 12738006 89546000 89545001 45048000 774007 363654007 81745001 2095001' },
  { region: 'head', codes: '45206002 91609006 70925003 117590005 53620006 361078006 42575006 91397008' },
  { region: 'head', codes: '13881006 21974007 123851003 74386004 60911003 113305005 360955006 71836000' },
  { region: 'head', codes: '69105007 11279006 45289007 417437006 416319003 416152001 110517009' },
  {
    region: 'head',
    codes: 'T-D1100 T-A0100 T-11100 T-D1200 T-D1600 T-D1000 T-D14AE T-D1480 T-AA000 T-22000',
  },
  {
    region: 'head',
    codes: 'T-21000 T-11180 T-11170 T-AB000 T-AB001 T-15290 T-AB959 T-D1460 T-11196 T-11166',
  },
  {
    region: 'head',
    codes: 'T-53000 T-D0662 T-11149 T-11130 T-A6000 T-2300C T-23000 T-45010 T-45520 T-61100',
  },
  { region: 'head', codes: 'R-FAB52 R-FAB53 R-FAB54 T-11011' },
  { region: 'whole', codes: '38266002 T-D0010' },
  { region: 'near', codes: '122494005 297171002 4596009 T-11501 T-D00F7 T-24100' },
]

/** Joints, bones and other things that are called after the head and its parts. */
const NOT_OF_THE_HEAD =
  /\b(?:FEMORAL|HUMERAL|RADIAL|FIBULA\w*|METATARSAL|METACARPAL|HIP|UTERINE|PANCREA\w*|BLADDER|SURGICAL)\W*(?:HEAD|NECK)\b|\b(?:HEAD|NECK) OF (?:THE )?(?:FEMUR|HUMERUS|RADIUS|PANCREAS)\b|\bHEAD[ -]?FIRST\b|\bCORONARY SINUS\b|\b(?:HEAD|NECK) ?COIL\b|\bARTICULAR FACET?\b|\bADRENAL \w+\b/g

/** Word stems in English, then the German, French, Spanish and Italian ones that are common in series of these countries. */
const WORDS: readonly { readonly region: Exclude<Region, 'unknown'>; readonly words: RegExp }[] = [
  {
    region: 'head',
    words:
      /\b(?:HEAD|BRAIN|SKULL|FACE|FACIAL|MAXILLO|CRANI|INTRACRANI|CEREBR|CEREBEL|ORBIT|SINUS(?:ES)?\b|NECK|NEURO|NASAL|NASO|NOSE|MANDIB|MAXILL|DENTAL|TEETH|JAW|TMJ\b|IAC\b|PITUITAR|SELLA|TEMPORAL|STROKE|CAROTID|EYE|OPTIC|PAROTID|TONGUE|LARYNX|PHARYN|OROPHARYN|H ?& ?N\b|MPRAGE|MP2RAGE)/,
  },
  {
    region: 'head',
    words:
      /\b(?:KOPF|SCH(?:Ä|AE)DEL|HIRN|GEHIRN|GESICHT|HALS|NASEN|KIEFER|NNH\b|T[ÊE]TE\b|CR[ÂA]N[EI]|CERVEAU|ENC[ÉE]PHAL|C[ÉE]R[ÉE]BR|VISAGE|COU\b|CABEZA|CARA\b|CUELLO|CEREBRO|ENC[ÉE]FALO|TESTA\b|CRANIO|CERVELLO|VOLTO\b|COLLO\b)/,
  },
  {
    region: 'head',
    words: /HEADNECK|HEADANDNECK|^(?:TSPINE)?HEAD|BRAINSTEM|SKULLBASE|BASE OF SKULL|NECKCHEST|CHESTNECK/,
  },
  {
    region: 'whole',
    words:
      /\b(?:WHOLE[ _-]?BODY|TOTAL[ _-]?BODY|WB\b|POLYTRAUMA|PANSCAN|PAN[ -]CT|VERTEX|GANZK(?:Ö|OE)RPER|CORPS ENTIER|CUERPO (?:ENTERO|COMPLETO))|WHOLEBODY/,
  },
  { region: 'near', words: /\b(?:C[ -]?SPINE|CERVICAL|HWS\b|CERVICALE|CERVICOTHORAC)/ },
  {
    region: 'other',
    words:
      /\b(?:CHEST|THORA|LUNG|HEART|CARDI|CORONARY|SMARTSCORE|ABDO|PELVI|LIVER|HEPAT|KIDNEY|RENAL|BLADDER|PROSTAT|UTER|BREAST|MAMMA|SHOULDER|ELBOW|WRIST|HAND\b|FINGER|HIP\b|FEMUR|FEMORAL|THIGH|KNEE|LEG\b|TIBIA|ANKLE|FOOT|HEEL|TOE\b|HUMER|FOREARM|ARM\b|EXTREMITY|SPINE|TSPINE|LSPINE|LUMBAR|SACR|AORTA|PANCREA|COLON|BOWEL|ENTERO|PHANTOM)/,
  },
  {
    region: 'other',
    words:
      /\b(?:BRUST|LUNGE|BAUCH|BECKEN|LEBER|NIERE|HERZ|KNIE|SCHULTER|H(?:Ü|UE)FTE|LWS\b|BWS\b|FUSS|POITRINE|FOIE|GENOU|[ÉE]PAULE|HANCHE|T[ÓO]RAX|PECHO|RODILLA|HOMBRO|CADERA|COLUMNA|TORACE|ADDOME|GINOCCHIO|SPALLA|ANCA\b)/,
  },
]

const BY_CODE: ReadonlyMap<string, Region> = new Map(
  CODES.flatMap(({ region, codes }) => codes.split(' ').map((code) => [code, region] as const)),
)

/** A code of another scheme that looks the same names nothing else: these are long enough. */
export function regionOfCode(code: string): Region {
  return BY_CODE.get(code.trim()) ?? 'unknown'
}

/** Body Part Examined (a defined term of PS3.16 Annex L, or what a technician wrote), a description, a code meaning. */
export function regionOfWords(value: string): Region {
  const text = value.toUpperCase().replaceAll('_', ' ').replaceAll(NOT_OF_THE_HEAD, ' JOINT ')
  for (const { region, words } of WORDS) if (words.test(text)) return region
  return text.includes('JOINT') ? 'other' : 'unknown'
}
