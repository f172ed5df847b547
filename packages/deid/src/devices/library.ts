// Devices known to draw a patient's identity into fixed places of their images. A floor, not a promise: where a rule
// applies, the text detector looks at the whole image as well. Every rule says where its knowledge comes from.

import type { DeviceRule } from '../pixel-settings.ts'
import { readDocument } from '../recipe/document.ts'
import { parseDevices } from '../recipe/pixels.ts'
import { required } from '../recipe/reading.ts'

const CTP = 'known to users of the RSNA Clinical Trial Processor, its published burned-in annotation library'

const LIBRARY = `
devices:
  - name: ge-logiq-9
    when: { modality: US, model: LOGIQ9, columns: 640 }
    blank: [[0, 0, 640, 40]]
    reason: ${CTP}
  - name: ge-logiq-e9
    when: { modality: US, model: LOGIQE9, columns: 960 }
    blank: [[0, 0, 960, 70]]
    reason: ${CTP}
  - name: philips-iu22-480
    when: { modality: US, model: iU22, rows: 480 }
    blank: [[0, 0, 640, 47]]
    reason: ${CTP}
  - name: philips-iu22-600
    when: { modality: US, model: iU22, rows: 600 }
    blank: [[0, 0, 800, 59]]
    reason: ${CTP}
  - name: philips-iu22-768
    when: { modality: US, model: iU22, rows: 768 }
    blank: [[0, 0, 1024, 75]]
    reason: ${CTP}
  - name: zonare-z-one
    when: { modality: US, model: Z_ONE, columns: 800 }
    blank: [[0, 0, 800, 65]]
    reason: ${CTP}
  - name: atl-hdi-5000
    when: { modality: US, manufacturer: ATL, model: HDI 5000, rows: 476, columns: 640 }
    blank: [[40, 0, 200, 40], [240, 0, 190, 16]]
    reason: ${CTP}
  - name: siemens-antares
    when: { modality: US, manufacturer: SIEMENS, model: ANTARES, rows: 768, columns: 1024 }
    blank: [[0, 0, 1024, 60], [200, 60, 20, 20], [800, 65, 104, 14]]
    reason: ${CTP}
  - name: siemens-acuson
    when: { modality: US, manufacturer: SIEMENS, model: ACUSON, rows: 600, columns: 800 }
    blank: [[0, 0, 800, 43], [128, 56, 16, 16]]
    reason: ${CTP}
  - name: acuson-sequoia
    when: { modality: US, manufacturer: ACUSON, model: SEQUOIA, rows: 480, columns: 640 }
    blank: [[0, 0, 640, 30]]
    reason: ${CTP}
  - name: toshiba-aplio-500
    when: { modality: US, manufacturer: TOSHIBA, model: A500, rows: 720, columns: 960 }
    blank: [[0, 0, 960, 60]]
    reason: ${CTP}
  - name: supersonic-aixplorer
    when: { modality: US, manufacturer: SuperSonic, model: Aixplorer, rows: 1050, columns: 1400 }
    blank: [[0, 0, 1000, 89]]
    reason: ${CTP}
  - name: siemens-ct-dose-page
    when: { modality: CT, manufacturer: SIEMENS, image-type: SECONDARY, rows: 860, columns: 1132 }
    blank: [[0, 0, 1132, 60]]
    reason: ${CTP}
  - name: philips-dose-page
    when: { manufacturer: PHILIPS, image-type: DOSE, columns: 512 }
    blank: [[0, 0, 512, 135]]
    reason: ${CTP}
  - name: canon-cxdi
    when: { manufacturer: Canon, model: CXDI, rows: 2592, columns: 2208 }
    blank: [[0, 0, 2208, 80], [0, 2512, 2208, 80]]
    reason: ${CTP}
  - name: ge-screen-1024
    when: { manufacturer: GE MEDICAL, burned-in: 'YES', rows: 1024, columns: 1024 }
    blank: [[0, 0, 300, 150], [724, 0, 300, 150]]
    reason: ${CTP}
`

const read: { devices?: readonly DeviceRule[] } = {}

/** Read once, by the first instance with pixels. */
export function knownDevices(): readonly DeviceRule[] {
  read.devices ??= parseDevices(required(readDocument('devices', LIBRARY), 'devices').value)
  return read.devices
}
