// What SMART apps look for (SMART App Launch 2.2, 4): where they ask, and what for.

import { TOKEN_SCOPES } from '../policy/scopes.ts'
import { ABOUT, ROUTES } from './provider.ts'

export function smartConfiguration(issuer: string) {
  return {
    issuer,
    jwks_uri: issuer + ROUTES.jwks,
    authorization_endpoint: issuer + ROUTES.authorization,
    token_endpoint: issuer + ROUTES.token,
    revocation_endpoint: issuer + ROUTES.revocation,
    token_endpoint_auth_methods_supported: ['none', 'private_key_jwt', 'tls_client_auth'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: [...ABOUT, ...TOKEN_SCOPES.keys()],
    capabilities: [
      'launch-standalone',
      'client-public',
      'client-confidential-asymmetric',
      'context-standalone-patient',
      'permission-offline',
      'permission-online',
      'permission-patient',
      'permission-user',
      'permission-v1',
      'permission-v2',
    ],
  }
}
