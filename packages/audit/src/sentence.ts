// A verdict in words, for people who decide what to do next.

import type { Verdict } from './verify.ts'

export function sentence(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'intact':
      return `INTACT: ${entries(verdict.size)}, all as signed. Root ${hex(verdict.root)}.`
    case 'unsigned-tail':
      return (
        `INTACT UP TO ${verdict.signed}: ${entries(verdict.signed)} as signed. ` +
        `The last ${verdict.size - verdict.signed} of ${verdict.size} have no witness yet.`
      )
    case 'gap':
      return (
        `GAP: line ${verdict.line} should hold entry ${verdict.expected} and holds ${verdict.found}. ` +
        `Missing: ${entries(verdict.found - verdict.expected)}.`
      )
    case 'reordered':
      return (
        `REORDERED: line ${verdict.line} should hold entry ${verdict.expected} and holds ${verdict.found}; ` +
        `entries were moved or repeated.`
      )
    case 'malformed':
      return `MALFORMED: line ${verdict.line} is not an entry as the ledger writes it (${verdict.code}).`
    case 'truncated':
      return (
        `TRUNCATED: a witness saw ${entries(verdict.signed)}, the ledger has ${verdict.found}. ` +
        `Cut off: the last ${verdict.signed - verdict.found}.`
      )
    case 'rewritten':
      return (
        `REWRITTEN: the ledger is not what was signed at size ${verdict.before}. ` +
        `The change lies in lines ${verdict.after + 1} to ${verdict.before}` +
        `${verdict.after === 0 ? '' : `; up to line ${verdict.after} all is as signed`}. ` +
        `Signed root ${hex(verdict.signed)}, computed ${hex(verdict.computed)}.`
      )
    case 'rolled-back':
      return rolledBack(verdict)
    default:
      return verdict satisfies never
  }
}

function rolledBack({ how, from, to }: Extract<Verdict, { kind: 'rolled-back' }>): string {
  switch (how) {
    case 'backwards':
      return `ROLLED BACK: a checkpoint of size ${to} was signed after one of size ${from}.`
    case 'fork':
      return `ROLLED BACK: two different ledgers were signed at size ${from}.`
    case 'old-copy':
      return (
        `ROLLED BACK: the ledger and its own checkpoints are an earlier state of ${entries(to)}; ` +
        `a witness has seen ${from}.`
      )
    default:
      return how satisfies never
  }
}

function entries(count: number): string {
  return count === 1 ? '1 entry' : `${count} entries`
}

function hex(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex')
}
