// Files in every character set, as they are read: each name as its MANIFEST or the standard's annex has it.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { Tags } from './dictionary.ts'
import { find, fromBytes, type Tag } from './model.ts'
import { readFile } from './read.ts'
import { text } from './values.ts'

const DATA = resolve(import.meta.dirname, '../../..', process.env.ROENTGATE_SHARED ?? '../shared', 'data')

const FILES: readonly (readonly [string, Tag, string])[] = [
  ['charset/chrArab.dcm', Tags.PatientName, 'قباني^لنزار'],
  ['charset/chrFren.dcm', Tags.PatientName, 'Buc^Jérôme'],
  ['charset/chrFrenMulti.dcm', Tags.OtherPatientNames, 'Buc^Jérôme\\Buc^Jérôme'],
  ['charset/chrGerm.dcm', Tags.PatientName, 'Äneas^Rüdiger'],
  ['charset/chrGreek.dcm', Tags.PatientName, 'Διονυσιος'],
  ['charset/chrH31.dcm', Tags.PatientName, 'Yamada^Tarou=山田^太郎=やまだ^たろう'],
  ['charset/chrH32.dcm', Tags.PatientName, 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう'],
  ['charset/chrHbrw.dcm', Tags.PatientName, 'שרון^דבורה'],
  ['charset/chrI2.dcm', Tags.PatientName, 'Hong^Gildong=洪^吉洞=홍^길동'],
  ['charset/chrJapMulti.dcm', Tags.PatientName, 'やまだ^たろう'],
  ['charset/chrJapMultiExplicitIR6.dcm', Tags.PatientName, 'やまだ^たろう'],
  ['charset/chrKoreanMulti.dcm', Tags.PatientName, '김희중'],
  ['charset/chrRuss.dcm', Tags.PatientName, 'Люкceмбypг'],
  ['charset/chrX1.dcm', Tags.PatientName, 'Wang^XiaoDong=王^小東='],
  ['charset/chrX2.dcm', Tags.PatientName, 'Wang^XiaoDong=王^小东='],
  ['derived/charset/charset_cyr.dcm', Tags.PatientName, 'Ильина^Ольга'],
  ['derived/charset/charset_gb2312.dcm', Tags.PatientName, 'Chen^Wei=陈^伟'],
  ['derived/charset/charset_gbk.dcm', Tags.PatientName, '李^小龙'],
  ['derived/charset/charset_greek.dcm', Tags.PatientName, 'Παπαδόπουλος^Νίκος'],
  ['derived/charset/charset_jis212.dcm', Tags.PatientName, '丂丄丅'],
  ['derived/charset/charset_latin2.dcm', Tags.PatientName, 'Wałęsa^Łucja'],
  ['derived/charset/charset_latin3.dcm', Tags.PatientName, 'Ġwann^Ħal'],
  ['derived/charset/charset_latin4.dcm', Tags.PatientName, 'Ķēniņš^Jānis'],
  ['derived/charset/charset_latin5.dcm', Tags.PatientName, 'Yılmaz^Şükrü'],
  ['derived/charset/charset_sjis.dcm', Tags.PatientName, 'ｱｵｷ^ﾊﾅｺ'],
  ['derived/charset/charset_thai.dcm', Tags.PatientName, 'สมชาย^ใจดี'],
]

for (const [path, t, expected] of FILES) {
  const file = join(DATA, path)
  test(`${path} reads`, { skip: existsSync(file) ? false : 'no test data beside the checkout' }, () => {
    const { dataset } = readFile(fromBytes(readFileSync(file)))
    const element = find(dataset, t)
    assert.equal(element && text(dataset, element), expected)
  })
}

/** The item has a character set of its own, or that of the data set around it. */
for (const name of ['chrSQEncoding.dcm', 'chrSQEncoding1.dcm']) {
  const file = join(DATA, 'charset', name)
  test(`charset/${name} reads`, {
    skip: existsSync(file) ? false : 'no test data beside the checkout',
  }, () => {
    const { dataset } = readFile(fromBytes(readFileSync(file)))
    const items = dataset.elements.flatMap(({ value }) => (value.kind === 'items' ? value.items : []))
    const names = items.flatMap((item) => {
      const element = find(item, Tags.PatientName)
      return element ? [text(item, element)] : []
    })
    assert.deepEqual(names, ['ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう'])
  })
}
