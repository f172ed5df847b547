// Who works at a node:  user identity of the association (PS3.7 D.3.3.7) ─► access token, bound to the certificate ─► person
//
// A JSON Web Token alone says who somebody is: a name, with or without a passcode, is one factor, and SAML and Kerberos are
// of nobody whom we know. At a node where people work an association without one is refused; so is one with a token that
// is not good, wherever it comes from.

import type { X509Certificate } from 'node:crypto'
import type { AssociateRequest } from '@roentgate/dimse'
import type { Node } from '../nodes/registry.ts'
import type { Access } from '../oidc/access.ts'
import { AccessError } from '../oidc/errors.ts'
import type { Subject } from '../policy/subject.ts'

export type Holder = () => Promise<Subject>
export type Known =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'person'; readonly id: string; readonly holder: Holder }
  /** For the ledger. */
  | { readonly kind: 'refused'; readonly why: 'user-missing' | 'user-token' }

const JSON_WEB_TOKEN = 5
const MAX_TOKEN = 8192

export type Shown = {
  readonly request: AssociateRequest
  readonly node: Node
  readonly certificate: X509Certificate | undefined
}

export async function personOf(access: Access | undefined, shown: Shown): Promise<Known> {
  const { request, node, certificate } = shown
  const { identity } = request.user
  if (identity?.type !== JSON_WEB_TOKEN)
    return node.people ? { kind: 'refused', why: 'user-missing' } : { kind: 'nobody' }
  if (access === undefined || identity.primary.length > MAX_TOKEN)
    return { kind: 'refused', why: 'user-token' }
  const authorization = `Bearer ${Buffer.from(identity.primary).toString('latin1').trim()}`
  try {
    const holder = await access.holderOf({
      authorization,
      proof: undefined,
      method: '',
      url: '',
      certificate,
    })
    const subject = await holder()
    return subject.kind === 'person'
      ? { kind: 'person', id: subject.id, holder }
      : { kind: 'refused', why: 'user-token' }
  } catch (error) {
    if (!(error instanceof AccessError)) throw error
    return { kind: 'refused', why: 'user-token' }
  }
}
