// Ranges of dates and times as a query writes them (PS3.4 C.2.2.2.5).   text ─► from, to; undefined where it is none

import { dayOf } from './facts.ts'

/** 'YYYY-MM-DD', both ends within. */
export type Range = { readonly from: string | undefined; readonly to: string | undefined }
/** Texts that a time as digits is compared with, both ends within. */
export type TimeRange = { readonly from: string; readonly upper: string }

export function dateRange(text: string): Range | undefined {
  const [, from, to] = /^(\d{8})?-(\d{8})?$/.exec(text) ?? [text, text, text]
  const [first, last] = [from, to].map((day) => (day === undefined ? undefined : dayOf(day)))
  const isBad = (from !== undefined && first === undefined) || (to !== undefined && last === undefined)
  return isBad || (first === undefined && last === undefined) ? undefined : { from: first, to: last }
}

const TIME = /^\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?$/
/** Sorts after every digit and the point: '10' is up to 10:59:59.999999. */
const AFTER_ALL = '~'

export function timeRange(text: string): TimeRange | undefined {
  const [from = '', to = from] = text.includes('-') ? text.split('-', 2) : [text, text]
  const isTime = (time: string) => time === '' || TIME.test(time)
  if (!isTime(from) || !isTime(to) || from + to === '') return undefined
  return { from: from === '' ? '0' : from, upper: to === '' ? AFTER_ALL : to + AFTER_ALL }
}
