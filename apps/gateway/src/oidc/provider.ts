// The OpenID provider of the gateway (oidc-provider, configured):  app ─► authorize ─► our pages ─► code ─► token
//
//   /.well-known/openid-configuration, /oidc/authorize, /oidc/token, /oidc/par, /oidc/revoke, /oidc/jwks
//
// Invariants: every authorization passes our sign-in and the question what the app may do (consent.ts), whatever session the
// browser has here; tokens are ES256, for our API alone, five minutes, bound to a key or a certificate; a refresh token
// works once.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JWK } from 'jose'
import {
  type Configuration,
  errors,
  interactionPolicy,
  type KoaContextWithOIDC,
  Provider,
} from 'oidc-provider'
import type { Limits } from '../identity/sessions.ts'
import { TOKEN_SCOPES } from '../policy/scopes.ts'
import { certificateOf, isNamed } from './certificate.ts'
import { consentOf } from './consents.ts'
import { type RecordStore, recordsOf } from './records.ts'
import { ALGORITHM, type SigningKey, signingKeys } from './signing.ts'

export const ROUTES = {
  authorization: '/oidc/authorize',
  token: '/oidc/token',
  jwks: '/oidc/jwks',
  revocation: '/oidc/revoke',
  pushed_authorization_request: '/oidc/par',
} as const
/** What is about the asking itself. Both kinds of access end with the session: nobody is away from their images. */
export const ABOUT = ['openid', 'online_access', 'offline_access', 'launch/patient'] as const
export const DISCOVERY = '/.well-known/openid-configuration'
export const ACCESS_TOKEN_S = 300
const SESSION_S = 12 * 3600
const INTERACTION_S = 15 * 60
const CODE_S = 60
/** Another process may have replaced the key. */
const LOOK_MS = 60_000

export type ProviderSetting = RecordStore & {
  /** https://gateway.example:8443, without a path. */
  readonly issuer: string
  readonly limits: Limits
  readonly secure: boolean
  /** The same place, where certificates are asked for (RFC 8705 5). */
  readonly mtlsIssuer?: string
  readonly onRefusal: (refusal: {
    readonly error: string
    readonly client?: string
    readonly address: string
  }) => void
}

export type OpenProvider = {
  readonly issuer: string
  readonly audience: string
  readonly keys: () => Promise<readonly SigningKey[]>
  /** What answers a request of its paths. */
  readonly handler: () => Promise<(request: IncomingMessage, response: ServerResponse) => Promise<void>>
  readonly current: () => Promise<Provider>
}

export function audienceOf(issuer: string): string {
  return `${issuer}/dicomweb`
}

/** It signs with the newest key, also once somebody replaced it. */
export function openProvider(setting: ProviderSetting): OpenProvider {
  const state: { at: number; kids: string; keys: readonly SigningKey[]; provider?: Provider } = {
    at: 0,
    kids: '',
    keys: [],
  }
  const keys = async (): Promise<readonly SigningKey[]> => {
    if (Date.now() - state.at > LOOK_MS) {
      state.keys = await signingKeys(setting)
      state.at = Date.now()
    }
    return state.keys
  }
  const current = async (): Promise<Provider> => {
    const now = await keys()
    const kids = now.map(({ kid }) => kid).join(' ')
    if (state.provider === undefined || kids !== state.kids) {
      state.provider = providerOf(setting, now)
      state.kids = kids
    }
    return state.provider
  }
  return {
    issuer: setting.issuer,
    audience: audienceOf(setting.issuer),
    keys,
    current,
    handler: async () => (await current()).callback(),
  }
}

function providerOf(setting: ProviderSetting, keys: readonly SigningKey[]): Provider {
  const provider = new Provider(setting.issuer, configurationOf(setting, keys))
  const refused = (ctx: KoaContextWithOIDC, { message }: Error): void => {
    const client = ctx.oidc?.client?.clientId
    setting.onRefusal({ error: message, address: ctx.ip, ...(client ? { client } : {}) })
  }
  provider.on('grant.error', refused)
  provider.on('authorization.error', refused)
  provider.on('pushed_authorization_request.error', refused)
  provider.use(async (ctx: KoaContextWithOIDC, next) => {
    await next()
    await addPatient(setting, ctx)
  })
  return provider
}

/** SMART App Launch 2.2, 3.0.6: the app learns which patient it has. */
async function addPatient({ db, limits }: ProviderSetting, ctx: KoaContextWithOIDC): Promise<void> {
  const grantId = ctx.oidc?.route === 'token' ? ctx.oidc.entities.AccessToken?.grantId : undefined
  if (grantId === undefined || typeof ctx.body !== 'object' || ctx.body === null) return
  const consent = await consentOf(db, grantId, limits)
  if (consent?.patient) ctx.body = { ...ctx.body, patient: consent.patient }
}

function configurationOf(setting: ProviderSetting, keys: readonly SigningKey[]): Configuration {
  const { issuer, columns, secure } = setting
  const name = (what: string): string => `${secure ? '__Secure-' : ''}roentgate-${what}`
  const cookie = { httpOnly: true, secure, sameSite: 'lax' } as const
  const sid = keys[0]?.kid
  return {
    adapter: recordsOf(setting),
    jwks: { keys: keys.map(({ jwk }) => jwk) as (JWK & { kty: string })[] } as Configuration['jwks'],
    routes: ROUTES,
    scopes: [...ABOUT, ...TOKEN_SCOPES.keys()],
    responseTypes: ['code'],
    subjectTypes: ['public'],
    claims: { openid: ['sub', 'acr', 'amr', 'auth_time'] },
    pkce: { required: () => true },
    clientAuthMethods: [
      'none',
      'private_key_jwt',
      ...(setting.mtlsIssuer ? ['tls_client_auth' as const] : []),
    ],
    cookies: {
      names: { session: name('oidc'), interaction: name('ask'), resume: name('resume') },
      long: cookie,
      short: cookie,
      keys: [columns.blind('oidc-cookies', '1').toString('hex')],
    },
    enabledJWA: {
      idTokenSigningAlgValues: [ALGORITHM],
      clientAuthSigningAlgValues: ['ES256', 'ES384', 'Ed25519', 'EdDSA'],
      dPoPSigningAlgValues: ['ES256', 'Ed25519', 'EdDSA'],
    },
    ttl: {
      AccessToken: ACCESS_TOKEN_S,
      ClientCredentials: ACCESS_TOKEN_S,
      AuthorizationCode: CODE_S,
      IdToken: ACCESS_TOKEN_S,
      Interaction: INTERACTION_S,
      Grant: SESSION_S,
      RefreshToken: SESSION_S,
      Session: SESSION_S,
    },
    features: featuresOf(setting, sid),
    ...rulesOf(setting),
    discovery: discoveryOf(setting),
    interactions: { url: (_, { uid }) => `/allow/${uid}`, policy: policyOf() },
    extraTokenClaims: (_, token) =>
      'grantId' in token && token.grantId ? { grant: token.grantId } : undefined,
    clientDefaults: { id_token_signed_response_alg: ALGORITHM },
    clientBasedCORS: (_, origin, client) =>
      client.redirectUris?.some((uri) => URL.parse(uri)?.origin === origin) === true,
    renderError: (ctx, out) => {
      ctx.type = 'text/plain; charset=utf-8'
      ctx.body = `${out.error}: ${out.error_description ?? 'the app asked for what it may not have'}\n`
    },
    fetch: () => Promise.reject(new errors.InvalidRequest('nothing is fetched for an app')),
    acrValues: ['urn:roentgate:mfa'],
    issuer,
  } as Configuration
}

function featuresOf(
  { issuer, mtlsIssuer }: ProviderSetting,
  kid: string | undefined,
): Configuration['features'] {
  return {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    clientCredentials: { enabled: true },
    revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
    pushedAuthorizationRequests: { enabled: true },
    dPoP: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audienceOf(issuer),
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => {
        if (resource !== audienceOf(issuer)) throw new errors.InvalidTarget()
        return {
          scope: [...TOKEN_SCOPES.keys()].join(' '),
          audience: audienceOf(issuer),
          accessTokenFormat: 'jwt',
          accessTokenTTL: ACCESS_TOKEN_S,
          jwt: { sign: { alg: ALGORITHM, ...(kid ? { kid } : {}) } },
        }
      },
    },
    mTLS: {
      enabled: mtlsIssuer !== undefined,
      certificateBoundAccessTokens: true,
      tlsClientAuth: true,
      getCertificate: (ctx) => certificateOf(ctx.req)?.toString(),
      // The port takes only what our authority issued (http/server.ts).
      certificateAuthorized: (ctx) => certificateOf(ctx.req) !== undefined,
      certificateSubjectMatches: (ctx, property, expected) =>
        property === 'tls_client_auth_san_dns' && isNamed(certificateOf(ctx.req), expected),
    },
  }
}

function rulesOf({ db, limits }: ProviderSetting): Partial<Configuration> {
  return {
    // Asked for the account of a code, a refresh token, a session of the browser: without a living consent there is none.
    findAccount: async (_, sub, token) => {
      const grantId = token && 'grantId' in token ? token.grantId : undefined
      if (grantId !== undefined) {
        const consent = await consentOf(db, grantId, limits)
        if (consent?.person !== sub) return undefined
      }
      return { accountId: sub, claims: () => ({ sub }) }
    },
    loadExistingGrant: async (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId
      return grantId === undefined ? undefined : await ctx.oidc.provider.Grant.find(grantId)
    },
    issueRefreshToken: (_, client, code) =>
      client.grantTypeAllowed('refresh_token') &&
      (code.scopes.has('online_access') || code.scopes.has('offline_access')),
    rotateRefreshToken: true,
    revokeGrantPolicy: () => true,
    expiresWithSession: () => false,
  }
}

/** RFC 8414, and where certificates are asked for. */
function discoveryOf({ mtlsIssuer }: ProviderSetting): Configuration['discovery'] {
  if (mtlsIssuer === undefined) return {}
  const { token, revocation, pushed_authorization_request: par } = ROUTES
  return {
    mtls_endpoint_aliases: {
      token_endpoint: mtlsIssuer + token,
      revocation_endpoint: mtlsIssuer + revocation,
      pushed_authorization_request_endpoint: mtlsIssuer + par,
    },
  } as Configuration['discovery']
}

function policyOf(): interactionPolicy.DefaultPolicy {
  const { base, Check } = interactionPolicy
  const policy = base()
  const always = new Check('asked_here', 'the person signs in here, and says what the app may do', (ctx) =>
    ctx.oidc.result?.login ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT,
  )
  policy.get('login')?.checks.add(always)
  return policy
}
