// The paths of OpenID Connect and SMART: called by apps, not by pages of ours, and with bodies that the provider reads itself.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { DISCOVERY, type OpenProvider, ROUTES } from '../oidc/provider.ts'
import { smartConfiguration } from '../oidc/smart.ts'

/** What the provider says for itself. */
const OWN: ReadonlySet<string> = new Set(['cache-control', 'cross-origin-resource-policy'])
export const PROTOCOL_PATHS: readonly string[] = [
  DISCOVERY,
  ...Object.values(ROUTES),
  `${ROUTES.authorization}/:uid`,
]
export const SMART = '/.well-known/smart-configuration'

/** Into a server of its own: it reads no bodies. */
export function mountProtocol(
  server: FastifyInstance,
  provider: OpenProvider,
  headers: Readonly<Record<string, string>>,
): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', (_, __, done) => done(null))
  const handler = async ({ raw }: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const handle = await provider.handler()
    reply.hijack()
    for (const [name, value] of Object.entries(headers)) if (!OWN.has(name)) reply.raw.setHeader(name, value)
    await handle(raw, reply.raw)
  }
  for (const url of PROTOCOL_PATHS)
    server.route({ method: ['GET', 'POST', 'OPTIONS'], url, handler, config: { foreign: true } })
  server.get(SMART, (_, reply) => reply.send(smartConfiguration(provider.issuer)))
}
