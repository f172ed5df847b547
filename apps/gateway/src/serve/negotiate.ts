// What an association is for (PS3.8 9.3.3.2, PS3.7 D.3.3): each presentation context against the services of the node.

import { transferSyntax, uid } from '@roentgate/dicom'
import {
  type AnsweredContext,
  type AssociateRequest,
  type UserInformation,
  VERIFICATION,
} from '@roentgate/dimse'
import type { Node, Service } from '../nodes/registry.ts'
import { COMMITMENT } from './commitment.ts'
import { modelOf } from './models.ts'
import { MPPS, MPPS_RETRIEVE } from './mpps.ts'
import { WORKLIST } from './worklist.ts'

/** PS3.8 Table 9-18 */
const RESULT = { accepted: 0, userRejection: 1, abstractSyntax: 3, transferSyntaxes: 4 } as const
const EXPLICIT = '1.2.840.10008.1.2.1'
const IMPLICIT = '1.2.840.10008.1.2'
/** Messages, which we read and write ourselves, in these. */
const OURS = [EXPLICIT, IMPLICIT]

type Context = AssociateRequest['contexts'][number]

export function negotiated(request: AssociateRequest, node: Node): readonly AnsweredContext[] {
  return request.contexts.map((context) => answered(context, request, node))
}

function answered(
  { id, abstractSyntax, transferSyntaxes }: Context,
  request: AssociateRequest,
  node: Node,
): AnsweredContext {
  const first = transferSyntaxes[0] ?? ''
  const services = servicesOf(abstractSyntax, { request, node })
  if (services === undefined) return { id, result: RESULT.abstractSyntax, transferSyntax: first }
  const isStored = isStorage(abstractSyntax, node)
  const isOfClass = !isStored || (node.sopClasses?.includes(abstractSyntax) ?? true)
  if (!isOfClass || !services.some((one) => node.services.includes(one)))
    return { id, result: RESULT.userRejection, transferSyntax: first }
  const chosen = isStored ? storedIn(transferSyntaxes) : OURS.find((one) => transferSyntaxes.includes(one))
  return chosen === undefined
    ? { id, result: RESULT.transferSyntaxes, transferSyntax: first }
    : { id, result: RESULT.accepted, transferSyntax: chosen }
}

/** The first that we know, as its sender puts first what it has; but where VRs are to be had, they are not lost. */
function storedIn(transferSyntaxes: readonly string[]): string | undefined {
  const first = transferSyntaxes.find((one) => transferSyntax(one) !== undefined)
  return first === IMPLICIT && transferSyntaxes.includes(EXPLICIT) ? EXPLICIT : first
}

/** Those that it can be for; undefined: we do not know it. */
function servicesOf(
  abstractSyntax: string,
  { request: { user }, node }: { readonly request: AssociateRequest; readonly node: Node },
): readonly Service[] | undefined {
  if (abstractSyntax === VERIFICATION) return ['echo']
  if (abstractSyntax === COMMITMENT) return ['commit']
  if (abstractSyntax === WORKLIST) return ['worklist']
  if (abstractSyntax === MPPS || abstractSyntax === MPPS_RETRIEVE) return ['mpps']
  const model = modelOf(abstractSyntax)
  if (model) return [model.action]
  if (!isStorage(abstractSyntax, node)) return undefined
  const role = user.roles.find(({ sopClass }) => sopClass === abstractSyntax)
  const services: Service[] = role === undefined || role.scu ? ['store'] : []
  return role?.scp ? [...services, 'get'] : services
}

/** What comes is kept as it came: any storage class of the standard, and private ones that the node was given by name. */
export function isStorage(abstractSyntax: string, node?: Node): boolean {
  if (node?.sopClasses?.includes(abstractSyntax) && uid(abstractSyntax) === undefined) return true
  const entry = uid(abstractSyntax)
  return abstractSyntax.startsWith('1.2.840.10008.5.1.4.') && entry?.name.includes('Storage') === true
}

/** Roles as far as the services go; relational queries; one operation at a time. */
export function answeredUser({ user, contexts }: AssociateRequest, node: Node): Partial<UserInformation> {
  const proposed = new Set(contexts.map(({ abstractSyntax }) => abstractSyntax))
  return {
    roles: user.roles
      .filter(({ sopClass }) => proposed.has(sopClass))
      .map(({ sopClass, scu, scp }) => ({
        sopClass,
        scu: scu && (!isStorage(sopClass, node) || node.services.includes('store')),
        scp: scp && isStorage(sopClass, node) && node.services.includes('get'),
      })),
    extended: user.extended
      .filter(({ sopClass }) => proposed.has(sopClass) && modelOf(sopClass)?.action === 'find')
      .map(({ sopClass, info }) => ({
        sopClass,
        info: new Uint8Array([info[0] === 1 ? 1 : 0, info[1] === 1 ? 1 : 0, 0, 0]),
      })),
    ...(user.window ? { window: { invoked: 1, performed: 1 } } : {}),
    ...(user.identity?.wantsAnswer ? { identityAnswer: new Uint8Array(0) } : {}),
  }
}

/** Of a query's class (PS3.4 C.5.1.1): which of its fields were agreed on. */
export function agreedOn(
  { user }: AssociateRequest,
  sopClass: string,
): { readonly isRelational: boolean; readonly combines: boolean } {
  const info = user.extended.find((one) => one.sopClass === sopClass)?.info ?? []
  return { isRelational: info[0] === 1, combines: info[1] === 1 }
}
