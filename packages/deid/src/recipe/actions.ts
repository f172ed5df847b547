// What a rule may do, and to what:  text or mapping ─parseAction→ Action, and the table of which VR bears which.

import { formatTag, groupOf, type Tag, type Vr } from '@roentgate/dicom'
import type { PseudonymDomain, Rule, Selector } from '../model.ts'
import { fitsVr } from './constants.ts'
import { type Dictionary, didYouMean } from './dictionary.ts'
import type { Value } from './document.ts'
import { type Place, RecipeError } from './errors.ts'
import { attributeOf, isGroupLength, quote } from './selectors.ts'

export type RuleAction = Rule['action']

/** In a recipe → in the model. */
const PLAIN: Readonly<Record<string, RuleAction>> = {
  keep: 'keep',
  remove: 'remove',
  empty: 'empty',
  dummy: 'dummy',
  clean: 'clean',
  uid: 'uid',
  'shift-date': { kind: 'shift-date' },
  year: { kind: 'year-only' },
  'cap-age': { kind: 'cap-age' },
  zip3: { kind: 'zip3' },
}
/** Written `{constant: text}` and `{pseudonym: domain}`. */
const WITH_ARGUMENT = ['constant', 'pseudonym']
/** UIDs have an action of their own. */
export const DOMAINS: readonly PseudonymDomain[] = [
  'patient-id',
  'accession',
  'device-serial',
  'study-id',
  'person',
  'other-id',
]
export const ACTIONS: readonly string[] = [...Object.keys(PLAIN), ...WITH_ARGUMENT]

export function parseAction(value: Value): RuleAction {
  if (value.kind === 'mapping') return parseWithArgument(value.entries, value.at)
  const text = value.kind === 'scalar' ? value.source : ''
  const plain = value.kind === 'scalar' && Object.hasOwn(PLAIN, text) ? PLAIN[text] : undefined
  if (plain !== undefined) return plain
  const hint = WITH_ARGUMENT.includes(text)
    ? `; ${text} takes an argument: {${text}: …}`
    : didYouMean(text, ACTIONS)
  throw new RecipeError('UNKNOWN_ACTION', value.at, `no action is called ${quote(text)}${hint}`)
}

function parseWithArgument(entries: ReadonlyMap<string, { at: Place; value: Value }>, at: Place): RuleAction {
  const [first, ...others] = entries
  if (first === undefined || others.length > 0) {
    throw new RecipeError(
      'UNKNOWN_ACTION',
      at,
      'an action in braces is {constant: text} or {pseudonym: domain}',
    )
  }
  const [key, { at: keyAt, value }] = first
  if (!WITH_ARGUMENT.includes(key)) {
    const hint = Object.hasOwn(PLAIN, key) ? `; ${key} takes no argument` : didYouMean(key, WITH_ARGUMENT)
    throw new RecipeError(
      'UNKNOWN_ACTION',
      keyAt,
      `no action with an argument is called ${quote(key)}${hint}`,
    )
  }
  const text = value.kind === 'scalar' ? value.source : ''
  if (key === 'pseudonym') {
    const domain = DOMAINS.find((known) => known === text)
    if (domain !== undefined) return { kind: 'pseudonym', domain }
    const hint = text === 'uid' ? '; a UID is replaced by action: uid' : didYouMean(text, DOMAINS)
    throw new RecipeError('BAD_VALUE', value.at, `no domain of pseudonyms is called ${quote(text)}${hint}`)
  }
  if (value.kind !== 'scalar' || typeof value.value !== 'string' || value.value === '') {
    throw new RecipeError('BAD_VALUE', value.at, 'a constant is text; quote what looks like a number')
  }
  return { kind: 'constant', value: value.value }
}

export function actionName(action: RuleAction): string {
  if (typeof action === 'string') return action
  return action.kind === 'year-only' ? 'year' : action.kind === 'clean-text' ? 'clean' : action.kind
}

const TEXT: readonly Vr[] = ['SH', 'LO', 'ST', 'LT', 'UC', 'UT']
/** What each action can be applied to; an action that is not here can be applied to every VR. */
const BEARERS: Readonly<Record<string, readonly Vr[]>> = {
  clean: [...TEXT, 'SQ'],
  uid: ['UI'],
  'shift-date': ['DA', 'DT'],
  year: ['DA', 'DT'],
  'cap-age': ['AS'],
  zip3: TEXT,
  pseudonym: [...TEXT, 'PN'],
  constant: [...TEXT, 'PN', 'AE', 'AS', 'CS', 'DA', 'DS', 'DT', 'IS', 'TM', 'UR'],
}
/** A whole group, or a whole private block, has many VRs: only what every VR bears. */
const FOR_MANY = ['keep', 'remove', 'empty', 'dummy']
const FOR_PRIVATE_BLOCK = ['keep', 'remove', 'empty']
/** A private element's VR is known only when a file is read; what does not bear the action then is removed. */
const FOR_PRIVATE = ['keep', 'remove', 'empty', 'clean', 'uid', 'shift-date']

/** What the program writes itself, or what makes the object what it is. */
const PROTECTED: ReadonlyMap<number, string> = new Map([
  [0x00080005, 'the character set follows the text that is written'],
  [0x00080016, 'the SOP class makes the object what it is'],
  [0x00120062, 'the marks say what was done'],
  [0x00120063, 'the marks say what was done'],
  [0x00120064, 'the marks say what was done'],
  [0x00280303, 'the marks say what was done'],
  [0x7fe00008, 'pixels are not a matter of rules'],
  [0x7fe00009, 'pixels are not a matter of rules'],
  [0x7fe00010, 'pixels are not a matter of rules'],
])
/** SOP, study and series instance UID: without them no archive takes the object. */
const NEEDED_UIDS: ReadonlySet<number> = new Set([0x00080018, 0x0020000d, 0x0020000e])
/** Delimiters, file meta, commands, media directories. */
const STRUCTURAL_GROUPS: ReadonlySet<number> = new Set([0x0000, 0x0002, 0x0004, 0xfffe])

export type Candidate = { readonly select: Selector; readonly action: RuleAction; readonly at: Place }

export function checkAction({ select, action, at }: Candidate, dictionary: Dictionary): void {
  checkProtected({ select, action, at })
  const name = actionName(action)
  const refuse = (what: string): never => {
    throw new RecipeError('VR_FORBIDS_ACTION', at, what)
  }
  if (select.kind === 'group') {
    if (select.group % 2 === 1 && name !== 'remove') {
      throw new RecipeError(
        'PRIVATE_WITHOUT_CREATOR',
        at,
        'a private group as a whole can only be removed; anything else names a creator',
      )
    }
    if (!FOR_MANY.includes(name)) refuse(`${name} does not fit every VR of a group`)
    return
  }
  if (select.kind === 'private') {
    const allowed = select.low === undefined ? FOR_PRIVATE_BLOCK : FOR_PRIVATE
    if (!allowed.includes(name)) refuse(`${name} is not for private elements: ${allowed.join(', ')}`)
    return
  }
  const attribute = attributeOf(select)
  const vrs = select.kind === 'vr' ? [select.vr] : attribute === undefined ? [] : dictionary.vrsOf(attribute)
  const bearers: readonly string[] | undefined = BEARERS[name]
  for (const vr of vrs ?? []) {
    if (bearers?.includes(vr) === false)
      refuse(`${name} cannot be applied to VR ${vr}: ${bearers.join(', ')}`)
    if (typeof action !== 'string' && action.kind === 'constant' && !fitsVr(action.value, vr)) {
      throw new RecipeError('BAD_VALUE', at, `the constant is no valid ${vr} (PS3.5 Table 6.2-1)`)
    }
  }
}

function checkProtected({ select, action, at }: Candidate): void {
  if (select.kind === 'group') {
    if (STRUCTURAL_GROUPS.has(select.group)) throw structural(at)
    return
  }
  const steps: readonly Tag[] =
    select.kind === 'path' ? select.path : select.kind === 'tag' ? [select.tag] : []
  for (const t of steps) if (STRUCTURAL_GROUPS.has(groupOf(t)) || isGroupLength(t)) throw structural(at)
  const attribute = attributeOf(select)
  if (attribute === undefined) return
  const why = PROTECTED.get(attribute)
  if (why !== undefined) {
    throw new RecipeError('PROTECTED_TAG', at, `no rule may touch ${formatTag(attribute)}: ${why}`)
  }
  if (NEEDED_UIDS.has(attribute) && action !== 'uid' && action !== 'keep') {
    throw new RecipeError('PROTECTED_TAG', at, `${formatTag(attribute)} can only be kept or replaced (uid)`)
  }
}

function structural(at: Place): RecipeError {
  return new RecipeError('PROTECTED_TAG', at, 'file meta, delimiters and group lengths are always rebuilt')
}
