// PS3.3: SOP class → IOD → modules → attribute Types. The module maps are of 2026b; attribute Types of 2016 are the
// newest that can be had, so an attribute or a module that is younger has no Type here, and callers choose what keeps
// the object valid.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type Generated, generated, hexOf, readJson, tsvConstant } from './source.ts'

type Usage = { readonly key: string; readonly usage: string }

const TYPES = ['1', '1C', '2', '2C', '3']

export function iodFiles(shared: string): readonly Generated[] {
  const sops = readJson<Record<string, string>>(shared, 'highdicom_2026b/sop_class_iod_map.json')
  const iods = readJson<Record<string, readonly Usage[]>>(shared, 'highdicom_2026b/iod_module_map.json')
  const known = new Set(Object.values(iods).flatMap((modules) => modules.map((module) => module.key)))
  return [
    generated(
      'packages/dicom/src/generated/iod.ts',
      ['IODs and modules: highdicom 2026b (MIT); attribute Types: posdaJS 2016 (MIT)'],
      [
        '/** SOP class, IOD */',
        tsvConstant('SOP_CLASSES', Object.entries(sops)),
        '/** IOD, module:usage … */',
        tsvConstant(
          'IODS',
          Object.entries(iods).map(([iod, modules]) => [
            iod,
            modules.map((m) => `${m.key}:${m.usage}`).join(' '),
          ]),
        ),
        '/** module, path:Type … with enclosing sequences joined by a dot */',
        tsvConstant('MODULES', moduleTypes(shared, known)),
      ].join('\n\n'),
    ),
  ]
}

/**
 * Modules that the Types of 2016 lack and that make Type 1 what General Image leaves at 2C (PS3.3 C.7.6.16, C.8.28.2,
 * C.37.1, C.36.2.2). Without them a Content Date would be emptied where it may not be.
 */
const CONTENT = ['00080023:1', '00080033:1', '00200013:1']
const SUPPLEMENT: ReadonlyMap<string, readonly string[]> = new Map([
  ['microscopy-bulk-simple-annotations', [...CONTENT, '00700080:1', '006A0002:1']],
  ['radiotherapy-common-instance', [...CONTENT, '30100033:1']],
  ['inventory', CONTENT.slice(0, 2)],
])

function supplement(module: string): readonly string[] | undefined {
  return module.endsWith('-functional-groups') ? [...CONTENT, '00280008:1'] : SUPPLEMENT.get(module)
}

function moduleTypes(shared: string, known: ReadonlySet<string>): readonly (readonly string[])[] {
  const modules = new Map<string, Map<string, string>>()
  const packed = readFileSync(join(shared, 'iod_types_2016/iod_attribute_types.tsv.gz'))
  // A cell that was quoted over two lines: the Type stands on the second.
  const text = gunzipSync(packed)
    .toString('utf8')
    .replace(/\t"\n\s+(\w+) "\t/g, '\t$1\t')
  for (const line of text.split('\n')) {
    const [, path = '', , type = '', module = ''] = line.split('\t')
    const key = keyOf(module, known)
    if (!TYPES.includes(type) || key === undefined) continue
    const attributes = modules.get(key) ?? new Map<string, string>()
    modules.set(key, attributes)
    const place = hexOf(path.replace(/\[<\d+>\]/g, '.'))
    const before = attributes.get(place)
    // One module in several IODs: the strictest Type is the one that keeps every object valid.
    if (before === undefined || TYPES.indexOf(type) < TYPES.indexOf(before)) attributes.set(place, type)
  }
  for (const module of known) {
    const added = modules.has(module) ? undefined : supplement(module)
    if (added) modules.set(module, new Map(added.map((entry) => [entry.slice(0, 8), entry.slice(9)])))
  }
  return [...modules]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, attributes]) => [
      key,
      [...attributes]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([place, type]) => `${place}:${type}`)
        .join(' '),
    ])
}

/** Module names of 2016 → keys of today. */
function keyOf(module: string, known: ReadonlySet<string>): string | undefined {
  const plain = module
    .replace(/ Module$/, '')
    .toLowerCase()
    .replace(/'/g, '')
  const candidates = [plain.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, ''), plain.replace(/ /g, '-')]
  return candidates.find((key) => known.has(key))
}
