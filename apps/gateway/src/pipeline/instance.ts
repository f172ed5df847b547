// One instance through the pipeline, synchronously, in a worker thread:
//
//   read → identify → plan → pixels? → apply → write (temporary) → re-read → verify → release (rename)
//                                                                          └→ quarantine (temporary removed)
//
// Whatever goes wrong ends in a result with a reason; nothing of a failed instance stays in OUT.

import { createHmac, type Hmac } from 'node:crypto'
import { compileRecipe, identifiersOf, identityOf, patientKey, pixelRisks, type Planner, planDataset, planner, type Recipe } from '@roentgate/deid'
import { DicomError, type DicomFile, find, readFile, Tags } from '@roentgate/dicom'
import { inflateRawSync } from 'node:zlib'
import { type OpenFile, openFile } from './sources.ts'
import type { Input, InstanceResult, InstanceTask, Reason, RunSettings, Scan } from './types.ts'
