// Types of attributes through SOP class, IOD and modules.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tags } from './dictionary.ts'
import { type AttributeType, attributeType, iodOf, modulesOf } from './iod.ts'
import type { Tag } from './model.ts'

const CT = '1.2.840.10008.5.1.4.1.1.2'
const ENHANCED_CT = '1.2.840.10008.5.1.4.1.1.2.1'
const NO_SOP_CLASS = '1.2.3.4'

test('a CT image has its IOD and its modules', () => {
  assert.equal(iodOf(CT), 'ct-image')
  assert.deepEqual(modulesOf('ct-image')[0], { module: 'patient', usage: 'M' })
  assert.equal(iodOf(NO_SOP_CLASS), undefined)
  assert.deepEqual(modulesOf('no-iod'), [])
})

const CASES: readonly (readonly [string, string, readonly Tag[], AttributeType | undefined])[] = [
  ['mandatory', CT, [Tags.SOPInstanceUID], '1'],
  ['may be empty', CT, [Tags.PatientName], '2'],
  ['optional', CT, [Tags.PatientComments], '3'],
  ['conditional', CT, [Tags.PatientPosition], '2C'],
  ['a row broken over two lines', CT, [Tags.GroupOfPatientsIdentificationSequence], '3'],
  ['nested', CT, [Tags.ReferencedStudySequence, Tags.ReferencedSOPInstanceUID], '1'],
  ['not of this IOD', CT, [Tags.ContentSequence], undefined],
  ['a SOP class that nobody knows', NO_SOP_CLASS, [Tags.PatientName], undefined],
  [
    'a macro where no module has the place',
    ENHANCED_CT,
    [Tags.SharedFunctionalGroupsSequence, Tags.ReferencedImageSequence, Tags.ReferencedSOPInstanceUID],
    '1',
  ],
  [
    'a macro in an unknown object',
    NO_SOP_CLASS,
    [Tags.ReferencedImageSequence, Tags.ReferencedSOPClassUID],
    '1',
  ],
  ['a code', NO_SOP_CLASS, [Tags.ProcedureCodeSequence, Tags.CodeMeaning], '1'],
  ['nested and never asked for', CT, [Tags.ProcedureCodeSequence, Tags.PatientComments], undefined],
]

for (const [name, sopClass, path, type] of CASES) {
  test(`Type: ${name}`, () => assert.equal(attributeType(sopClass, path), type))
}
