// PS3.3: which Type an attribute has in an IOD, through the IOD's modules.
//
// The strictest Type wins over the modules of an IOD, so that what is kept valid is valid whichever of them are used.

import { IODS, MODULES, SOP_CLASSES } from './generated/iod.ts'
import { Tags } from './generated/tags.ts'
import type { Tag } from './model.ts'
import { hex8 } from './model.ts'

export type AttributeType = '1' | '1C' | '2' | '2C' | '3'
export type ModuleUse = { readonly module: string; readonly usage: 'M' | 'C' | 'U' }

const ORDER: readonly AttributeType[] = ['1', '1C', '2', '2C', '3']

type Index = {
  readonly sopClasses: ReadonlyMap<string, string>
  readonly iods: ReadonlyMap<string, readonly ModuleUse[]>
  readonly modules: ReadonlyMap<string, string>
  readonly parsed: Map<string, ReadonlyMap<string, AttributeType>>
}

/** PS3.3 Table 8.8-1a, which the tables of attribute Types do not expand. */
const CODE_SEQUENCE: ReadonlyMap<Tag, AttributeType> = new Map([
  [Tags.CodeValue, '1C'],
  [Tags.CodingSchemeDesignator, '1C'],
  [Tags.CodingSchemeVersion, '1C'],
  [Tags.CodeMeaning, '1'],
  [Tags.LongCodeValue, '1C'],
  [Tags.URNCodeValue, '1C'],
])

const lazily: { index?: Index; macros?: ReadonlyMap<string, AttributeType> } = {}

export function iodOf(sopClass: string): string | undefined {
  return indexed().sopClasses.get(sopClass)
}

export function modulesOf(iod: string): readonly ModuleUse[] {
  return indexed().iods.get(iod) ?? []
}

/** `path` is the enclosing sequences, outermost first, then the attribute. Undefined where the tables are silent. */
export function attributeType(sopClass: string, path: readonly Tag[]): AttributeType | undefined {
  return ofModules(iodOf(sopClass), path) ?? ofMacro(path)
}

function ofModules(iod: string | undefined, path: readonly Tag[]): AttributeType | undefined {
  if (iod === undefined) return undefined
  const place = path.map((t) => hex8(t)).join('.')
  let mandatory: AttributeType | undefined
  let other: AttributeType | undefined
  for (const { module, usage } of modulesOf(iod)) {
    const type = attributesOf(module).get(place)
    if (type === undefined) continue
    if (usage === 'M') mandatory = stricter(mandatory, type)
    else other = stricter(other, type)
  }
  // An optional module that is there makes its attributes as binding as a mandatory one: the stricter of the two.
  return mandatory === undefined ? other : other === undefined ? mandatory : stricter(mandatory, other)
}

/**
 * Where no module of the IOD has the place: what any module asks of the attribute in that sequence, for sequences are
 * mostly macros (PS3.3 8.8, 10). Only what binds: Type 3 elsewhere proves nothing here.
 */
function ofMacro(path: readonly Tag[]): AttributeType | undefined {
  if (path.length < 2) return undefined
  const last = path.at(-1)
  const coded = last === undefined ? undefined : CODE_SEQUENCE.get(last)
  if (coded) return coded
  lazily.macros ??= indexMacros()
  return lazily.macros.get(
    path
      .slice(-2)
      .map((t) => hex8(t))
      .join('.'),
  )
}

function indexMacros(): ReadonlyMap<string, AttributeType> {
  const macros = new Map<string, AttributeType>()
  for (const module of indexed().modules.keys()) {
    for (const [place, type] of attributesOf(module)) {
      const end = place.slice(-17)
      if (end.length === 17 && type !== '3') macros.set(end, stricter(macros.get(end), type))
    }
  }
  return macros
}

function stricter(a: AttributeType | undefined, b: AttributeType): AttributeType {
  return a === undefined || ORDER.indexOf(b) < ORDER.indexOf(a) ? b : a
}

function attributesOf(module: string): ReadonlyMap<string, AttributeType> {
  const index = indexed()
  const known = index.parsed.get(module)
  if (known) return known
  const attributes = new Map<string, AttributeType>()
  for (const entry of (index.modules.get(module) ?? '').split(' ')) {
    const at = entry.lastIndexOf(':')
    if (at > 0) attributes.set(entry.slice(0, at), entry.slice(at + 1) as AttributeType)
  }
  index.parsed.set(module, attributes)
  return attributes
}

function indexed(): Index {
  lazily.index ??= {
    sopClasses: new Map(rows(SOP_CLASSES)),
    iods: new Map(rows(IODS).map(([iod, modules]) => [iod, modules.split(' ').map(useOf)])),
    modules: new Map(rows(MODULES)),
    parsed: new Map(),
  }
  return lazily.index
}

function rows(table: string): [string, string][] {
  return table.split('\n').map((row) => {
    const at = row.indexOf('\t')
    return [row.slice(0, at), row.slice(at + 1)]
  })
}

function useOf(entry: string): ModuleUse {
  const at = entry.lastIndexOf(':')
  return { module: entry.slice(0, at), usage: entry.slice(at + 1) as ModuleUse['usage'] }
}
