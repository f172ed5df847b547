// The version that manifests and reports carry, and what peers see of it.

import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from '@roentgate/dicom'
import metadata from '../../package.json' with { type: 'json' }

export const VERSION: string = metadata.version

/** What peers are told of us (PS3.7 D.3.3.2). */
export const IMPLEMENTATION = { uid: IMPLEMENTATION_CLASS_UID, version: IMPLEMENTATION_VERSION_NAME } as const
