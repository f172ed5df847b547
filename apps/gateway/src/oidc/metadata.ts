// A registered app or service, in the words of RFC 7591 and RFC 9449 5.2.

import type { AdapterPayload } from 'oidc-provider'
import { isOfPatient } from '../policy/scopes.ts'
import type { Client } from './clients.ts'

const APP = {
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  dpop_bound_access_tokens: true,
  id_token_signed_response_alg: 'ES256',
} as const
const SERVICE = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] }

export function isService({ id }: Pick<Client, 'id'>): boolean {
  return id.startsWith('service:')
}

export function metadataOf(client: Client): AdapterPayload {
  const { id: client_id, name: client_name, redirect_uris, scopes, keys, certificate_name } = client
  const common = { client_id, client_name }
  if (!isService(client)) {
    const launch = scopes.some(isOfPatient) ? ['launch/patient'] : []
    const scope = ['openid', 'online_access', 'offline_access', ...launch, ...scopes].join(' ')
    const app = { ...common, ...APP, ...applicationOf(redirect_uris), redirect_uris, scope }
    return certificate_name === null
      ? app
      : { ...app, dpop_bound_access_tokens: false, ...shown(certificate_name) }
  }
  const scope = scopes.join(' ')
  return certificate_name === null
    ? {
        ...common,
        ...SERVICE,
        scope,
        token_endpoint_auth_method: 'private_key_jwt',
        dpop_bound_access_tokens: true,
        jwks: keys ?? { keys: [] },
      }
    : {
        ...common,
        ...SERVICE,
        scope,
        ...shown(certificate_name),
      }
}

/** RFC 8705 2.1.2 and 3. */
function shown(name: string) {
  return {
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_dns: name,
    tls_client_certificate_bound_access_tokens: true,
  } as const
}

/** RFC 8252 7.3: what goes back to this machine in the clear is native, and finds its port when it starts. */
function applicationOf(redirects: readonly string[]): { readonly application_type: 'web' | 'native' } {
  return { application_type: redirects.some((one) => one.startsWith('http:')) ? 'native' : 'web' }
}
