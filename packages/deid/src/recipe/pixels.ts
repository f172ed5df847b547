// The section `pixels` of a recipe: what is looked for in the pixels, what is filled, and the devices whose text stands
// where it always stands.

import type { Box } from '@roentgate/dicom'
import type { DeviceCondition, DeviceRule, PixelSettings } from '../pixel-settings.ts'
import type { Entry, Mapping, Value } from './document.ts'
import { RecipeError } from './errors.ts'
import { bad, checkKeys, flag, integer, line, required, word } from './reading.ts'

export type DraftPixels = Partial<PixelSettings>

const KEYS = ['text', 'search', 'regions', 'fill', 'encode', 'documents', 'faces', 'devices']
const DEVICE_KEYS = ['name', 'when', 'blank', 'reason']
const TEXT_CONDITIONS = ['manufacturer', 'model', 'software', 'modality', 'image-type', 'burned-in'] as const
const CONDITIONS = [...TEXT_CONDITIONS, 'rows', 'columns']
/** Rows and Columns are 16 bits wide. */
const SIDE = { from: 1, to: 65_535 }
const PLACE = { from: 0, to: 65_535 }
/** More devices than a site has; more boxes than a screen has corners. */
const MAX_DEVICES = 500
const MAX_BOXES = 50
const MAX_TEXT = 64
const MAX_REASON = 200
const NAME = /^[a-z0-9][a-z0-9-]{0,47}$/

export function parsePixels({ value }: Entry): DraftPixels {
  if (value.kind !== 'mapping') throw bad(value, `pixels are a mapping of ${KEYS.join(', ')}`)
  checkKeys(value, KEYS)
  const draft: { -readonly [K in keyof PixelSettings]?: PixelSettings[K] } = {}
  const at = (key: string): Entry | undefined => value.entries.get(key)
  const text = at('text')
  const search = at('search')
  const regions = at('regions')
  const fill = at('fill')
  const encode = at('encode')
  const documents = at('documents')
  const faces = at('faces')
  const devices = at('devices')
  if (text) draft.text = word(text, ['auto', 'all', 'identifiers', 'none'])
  if (search) draft.search = word(search, ['risky', 'all'])
  if (regions) draft.regions = flag(regions)
  if (fill) draft.fill = word(fill, ['black', 'mean', 'inpaint'])
  if (encode) draft.encode = word(encode, ['rle', 'jpeg-ls', 'jpeg-2000', 'htj2k', 'native'])
  if (documents) draft.documents = word(documents, ['stub', 'quarantine'])
  if (faces) draft.faces = word(faces, ['keep', 'quarantine', 'remove'])
  if (devices) draft.devices = parseDevices(devices.value)
  return draft
}

export function parseDevices(value: Value): readonly DeviceRule[] {
  if (value.kind !== 'list') throw bad(value, 'devices are a list')
  if (value.items.length > MAX_DEVICES)
    throw new RecipeError('LIMIT', value.at, `more than ${MAX_DEVICES} devices`)
  const names = new Set<string>()
  return value.items.map((item) => {
    if (item.kind !== 'mapping') throw bad(item, `a device is {${DEVICE_KEYS.join(', ')}}`)
    checkKeys(item, DEVICE_KEYS)
    const name = parseName(required(item, 'name').value)
    if (names.has(name)) throw new RecipeError('CONTRADICTORY', item.at, `${name} is in the list already`)
    names.add(name)
    return {
      name,
      when: parseWhen(required(item, 'when').value),
      blank: parseBoxes(required(item, 'blank').value),
      reason: line(required(item, 'reason'), MAX_REASON),
    }
  })
}

function parseName(value: Value): string {
  const text = value.kind === 'scalar' ? value.value : undefined
  if (typeof text === 'string' && NAME.test(text)) return text
  throw bad(value, 'a device has a name of 1 to 48 lower-case letters, digits and hyphens: reports carry it')
}

function parseWhen(value: Value): readonly DeviceCondition[] {
  if (value.kind !== 'mapping') throw bad(value, `when is a mapping of ${CONDITIONS.join(', ')}`)
  checkKeys(value, CONDITIONS)
  const when: DeviceCondition[] = []
  for (const key of TEXT_CONDITIONS) {
    const entry = value.entries.get(key)
    if (entry) when.push({ kind: key, contains: line(entry, MAX_TEXT) })
  }
  const rows = value.entries.get('rows')
  const columns = value.entries.get('columns')
  if (rows) when.push({ kind: 'rows', equals: integer(rows.value, SIDE) })
  if (columns) when.push({ kind: 'columns', equals: integer(columns.value, SIDE) })
  // A box that is blanked in every image of every device is a mistake.
  if (!hasDevice(value)) throw bad(value, 'names at least a manufacturer, a model or an image type')
  return when
}

function hasDevice({ entries }: Mapping): boolean {
  return entries.has('manufacturer') || entries.has('model') || entries.has('image-type')
}

function parseBoxes(value: Value): readonly Box[] {
  if (value.kind !== 'list' || value.items.length === 0)
    throw bad(value, 'blank is a list of [x, y, width, height]')
  if (value.items.length > MAX_BOXES) throw new RecipeError('LIMIT', value.at, `more than ${MAX_BOXES} boxes`)
  return value.items.map((item) => {
    const [x, y, width, height, more] = item.kind === 'list' ? item.items : []
    if (!x || !y || !width || !height || more) throw bad(item, 'a box is [x, y, width, height], in pixels')
    return {
      x: integer(x, PLACE),
      y: integer(y, PLACE),
      width: integer(width, SIDE),
      height: integer(height, SIDE),
    }
  })
}
