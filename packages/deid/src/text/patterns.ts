// Identifiers that betray themselves by their form, whoever's they are.  text ─findPatterns→ spans
//
// Each pattern is tuned both ways: a phone number needs a plus, brackets, a known shape or a label; an IPv4 address
// must not be a version; 'MR HEAD' and 'DR CHEST' are modalities, 'Mr Head' and 'DR. CHEST' are people. A label stays, what it
// labels goes. Cheap checks on single characters decide which patterns run at all.

import { foldText } from './fold.ts'
import { type TextSpan, withoutOverlaps } from './spans.ts'
import { isPlainWord } from './vocabulary.ts'

type Pattern = {
  readonly kind: string
  /** Runs only where this is in the text. */
  readonly hint: RegExp
  readonly pattern: RegExp
  readonly accept?: (match: RegExpExecArray, text: string) => boolean
}

const SEP = '[-.\\s]'
const PHONE_LABEL =
  '(?:tel|phone|telephone|telefon|téléphone|tél|fax|mobile|mobil|cell|pager|beeper|callback|ph|call)'
/** Public vocabularies, which identify nobody. */
const PUBLIC_HOST =
  /^https?:\/\/(?:www\.w3\.org|ns\.adobe\.com|dicom\.nema\.org|purl\.org|schemas\.[\w.]+|(?:www\.)?loinc\.org|snomed\.info)(?:[/#?]|$)/i
const VERSION_BEFORE =
  /(?:\bv|ver|version|rev|rel|release|build|software|sw|fw|firmware|syngo|\b[a-z]{1,2}\d+[a-z]?)[\s.:#=]{0,3}$/i
const ADDRESS_BEFORE = /(?:\bip|ipv4|host|server|addr|address|node|gateway|@|\/\/)[\s:=@/]{0,3}$/i

const PATTERNS: readonly Pattern[] = [
  {
    kind: 'email',
    hint: /@/,
    pattern: /[\p{L}\p{N}][\p{L}\p{N}._%+-]{0,63}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,6}/gu,
  },
  {
    kind: 'url',
    hint: /:\/\/|www\./i,
    pattern:
      /(?:https?|ftp|sftp|file|wss?|dicom|smb):\/\/[^\s"'<>\\)\]]+|(?<![\w.])www\.[\w-]+\.[^\s"'<>\\)\]]+/gi,
    accept: (match) => !PUBLIC_HOST.test(match[0]),
  },
  {
    kind: 'ssn',
    hint: /\d{3}-\d\d-\d{4}|ssn|social sec/i,
    pattern:
      /(?<![\d-])(?!000|666)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])|(?<=\b(?:ssn|social security(?: (?:no|number))?)[\s.:#=]{1,4})\d{3}[- ]?\d{2}[- ]?\d{4}(?!\d)/gi,
  },
  {
    kind: 'phone',
    hint: /\d{4}/,
    pattern: new RegExp(
      `(?<![\\d.\\-/])(?:\\+?1${SEP}?)?(?:\\([2-9]\\d{2}\\)${SEP}?|[2-9]\\d{2}-|[2-9]\\d{2}\\.)[2-9]\\d{2}[-.]\\d{4}(?![\\d-]|\\.\\d)`,
      'g',
    ),
  },
  {
    kind: 'phone',
    hint: /\+\d/,
    pattern: /(?<![\w.+])\+[1-9](?:[\s.\-/()]{0,2}\d){8,14}(?![\d]|\.\d)/g,
  },
  {
    kind: 'phone',
    hint: new RegExp(`${PHONE_LABEL}[^\\n]{0,12}\\d`, 'i'),
    pattern: new RegExp(
      `(?<=(?<![\\p{L}])${PHONE_LABEL}\\.?\\s?(?:no|nr|number|#)?\\.?\\s?[:=]?\\s{0,2})\\+?(?:\\(?\\d(?:[\\s().\\-/]{0,2}\\d){6,14})(?!\\d)`,
      'giu',
    ),
  },
  {
    kind: 'ip',
    hint: /\d\.\d+\.\d+\.\d/,
    pattern: /(?<![\d.\w])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d\w]|\.\d)/g,
    accept: (match, text) => isAddress(match[0], text.slice(Math.max(0, match.index - 16), match.index)),
  },
  {
    kind: 'ip',
    hint: /[0-9a-f]:[0-9a-f:]*:/i,
    pattern:
      /(?<![\w:.])(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6})(?![\w:]|\.\d)/gi,
    accept: (match) => match[0].split(':').filter((group) => group !== '').length > 2,
  },
  {
    kind: 'mac',
    hint: /[0-9a-f]{2}[:-][0-9a-f]{2}[:-]/i,
    pattern: /(?<![\w:-])[0-9a-f]{2}([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}(?![\w:-])/gi,
  },
  {
    kind: 'id',
    hint: /mrn|med|pat|pt|pid|acc|case|chart|visit|encounter|hosp|account|licen[cs]e|policy|insur|nhs|(?:^|[,;|(\n])\s*id/i,
    pattern: labelled(
      [
        'mrn',
        'medical\\srec(?:ord)?(?:\\s?(?:no|nr|number))?',
        "pat(?:ient)?(?:'?s)?[\\s_-]?(?:id|no|nr|number|code)",
        'pt[\\s_-]?(?:id|no|nr)',
        '(?:pid|acc|case|chart|visit|encounter|account|acct|licen[cs]e|policy)(?=\\s?[:#=]|\\s?n(?:o|r|um))(?:\\s?(?:id|no|nr|number))?',
        'accession(?:\\s?(?:id|no|nr|number))?',
        '(?:hosp(?:ital)?|insurance|nhs|visit|encounter)\\s?(?:id|no|nr|number)',
      ],
      '[\\s.:#=_-]{1,4}',
    ),
    accept: (match) => /\d{2}/.test(match[0]),
  },
  {
    kind: 'id',
    hint: /(?:^|[,;|(\n])\s*id\s?[:#=]/i,
    pattern: /(?<=(?:^|[,;|(\n])\s{0,3}id\s?[:#=]\s{0,3})[a-z0-9][a-z0-9/_-]{2,31}(?![\w])/gi,
    accept: (match) => /\d{3}/.test(match[0]),
  },
  {
    kind: 'zip',
    hint: /\b[A-Z]{2},? +\d{5}/,
    pattern:
      /(?<=(?:\p{L}, ?(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]),? {1,2}))\d{5}(?:-\d{4})?(?!\d)|(?<=\b[A-Z]{2} {1,2})\d{5}-\d{4}(?![\d-])/gu,
  },
  {
    kind: 'address',
    hint: /st\.|stra|str\.|street|ave|rd|road|lane|blvd|boul|drive/i,
    pattern:
      /(?<![\w.])\d{1,5}[a-z]?\s+(?:[NSEW]\.?\s+)?(?:\p{Lu}[\p{L}'.]+\s+){1,3}(?:Street|St\.|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Drive)(?![\p{L}])|(?<!\p{L})\p{Lu}\p{L}+(?:straße|strasse|str\.)\s+\d{1,4}[a-z]?(?!\w)/gu,
  },
]

/** All but dates, which findDates has, and what is known of the patient. */
export function findPatterns(text: string): readonly TextSpan[] {
  if (text.length < 4) return []
  const spans: TextSpan[] = [...findPeople(text)]
  if (/[\d@:]|www/i.test(text)) {
    for (const { kind, hint, pattern, accept } of PATTERNS) {
      if (!hint.test(text)) continue
      for (const match of text.matchAll(pattern)) {
        if (accept !== undefined && !accept(match, text)) continue
        spans.push({ kind, start: match.index, end: match.index + match[0].length })
      }
    }
  }
  return withoutOverlaps(spans)
}

const WORD = "\\p{Lu}[\\p{L}'’-]*"
const PERSON_HINT =
  /(?:[md]r|m[st]|mrs|miss|prof|herrn?|frau|mme|pt|patient|name|by|referring|attending|performing|physician|doctor)[.:=#]?\s/i
/** Mixed case, or with a stop: 'MR', 'DR', 'MS' and 'PT' alone are modalities and sequences. */
const TITLED =
  '(?<=(?<![\\p{L}])(?:Mrs?\\.?|Ms\\.?|Miss|Mme\\.?|Mlle|Herrn?|Frau|Dr\\.?|Prof\\.?|Monsieur|Madame|Señora?|(?:MR|MS|DR|PROF)\\.|MRS\\.?)\\s{1,2})'
const LABELLED =
  "(?<=(?<![\\p{L}])(?:(?:[Pp]atient|PATIENT|[Pp]t|PT|[Pp]at|PAT)(?:'?[sS])?(?:[\\s_-]?(?:[Nn]ame|NAME))?|(?:[Rr]eferring|REFERRING|[Aa]ttending|ATTENDING|[Pp]erforming)(?:\\s(?:[Pp]hysician|PHYSICIAN|[Dd]octor|[Mm][Dd]))?|[Pp]hysician|PHYSICIAN|(?:[Ll]ast|[Ff]irst|[Ff]ull|[Ss]ur)\\s?[Nn]ame|(?:^|(?<=[,;|\\n]\\s?))(?:[Nn]ame|NAME))\\s?[:=]\\s{0,2})"
const BY =
  '(?<=(?<![\\p{L}])(?:[Rr]ead|[Dd]ictated|[Ss]igned|[Rr]eported|[Vv]erified|[Pp]erformed|[Rr]equested|[Oo]rdered|[Rr]eferred)\\sby:?\\s(?:Dr\\.?\\s)?)'
const PERSON = new RegExp(
  `(?:${TITLED}|${LABELLED}|${BY})${WORD}\\.?(?:(?:,\\s?|\\^|\\s|\\.\\s?)${WORD}\\.?){0,4}`,
  'gu',
)

/** A name after a title or a label: its words up to the first that is plain language. */
function findPeople(text: string): readonly TextSpan[] {
  if (!PERSON_HINT.test(text)) return []
  const spans: TextSpan[] = []
  for (const match of text.matchAll(PERSON)) {
    let end = 0
    for (const word of match[0].matchAll(/[\p{L}'’-]+/gu)) {
      // 'Dr J. Doe', 'Jane Q. Doe': an initial is a part of the name that follows or surrounds it.
      const initial = word[0].length === 1 && (end > 0 || /^\p{L}\.?\s?\p{Lu}\p{L}{2}/u.test(match[0]))
      if (!initial && word[0].length !== 2 && isPlainWord(foldText(word[0]))) break
      end = word.index + word[0].length
    }
    if (end > 0) spans.push({ kind: 'person', start: match.index, end: match.index + end })
  }
  return spans
}

function labelled(labels: readonly string[], gap: string): RegExp {
  return new RegExp(
    `(?<=(?<![\\p{L}])(?:${labels.join('|')})${gap})[a-z0-9][a-z0-9/_-]{2,31}(?![\\w])`,
    'giu',
  )
}

/** Low first octets are version numbers unless something says that it is an address. */
function isAddress(value: string, before: string): boolean {
  if (ADDRESS_BEFORE.test(before)) return true
  if (VERSION_BEFORE.test(before)) return false
  const first = Number(value.split('.', 1)[0])
  return first >= 24 || first === 10
}
