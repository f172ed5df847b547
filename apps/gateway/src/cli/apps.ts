// roentgate app add, list, revoke | service add, revoke | sign-in set, remove, list

import { readFileSync } from 'node:fs'
import type { JSONWebKeySet } from 'jose'
import { listElsewhere, removeElsewhere, setElsewhere } from '../identity/elsewhere.ts'
import { addApp, addService, listClients, revokeClient } from '../oidc/clients.ts'
import type { DataOptions } from './data.ts'
import { type By, withPeople } from './people.ts'
import type { Invocation } from './program.ts'
import { counted, EXIT, UsageError } from './terminal.ts'

export type AppOptions = By & {
  readonly name: string
  readonly redirect: readonly string[]
  readonly scope: readonly string[]
  readonly certificateName?: string
}
export type ServiceOptions = By & {
  readonly name: string
  readonly scope: readonly string[]
  readonly keys?: string
  readonly certificateName?: string
}
export type RevokeOptions = By
export type ElsewhereOptions = By & {
  readonly name: string
  readonly issuer: string
  readonly clientId: string
  readonly secretFile?: string
  readonly idClaim: string
  readonly mfaAmr: readonly string[]
  readonly mfaAcr: readonly string[]
}

export async function add(
  id: string,
  { name, redirect: redirects, scope: scopes, certificateName, by, ...data }: AppOptions,
  invocation: Invocation,
): Promise<number> {
  return await withPeople(data, invocation, async ({ database }) => {
    const bound = certificateName === undefined ? {} : { certificateName }
    const whole = await addApp(database.kysely, { id, name, redirects, scopes, ...bound }, by)
    invocation.terminal.out(`Its client_id is ${whole}\n`)
    return EXIT.done
  })
}

export async function addOne(
  id: string,
  { name, scope: scopes, keys, certificateName, by, ...data }: ServiceOptions,
  invocation: Invocation,
): Promise<number> {
  const shows = {
    ...(keys === undefined ? {} : { keys: keySetIn(keys) }),
    ...(certificateName === undefined ? {} : { certificateName }),
  }
  return await withPeople(data, invocation, async ({ database }) => {
    const whole = await addService(database.kysely, { id, name, scopes, ...shows }, by)
    invocation.terminal.out(
      `Its client_id is ${whole}. It has no role yet: roentgate grant request ${whole} service --scope institution\n`,
    )
    return EXIT.done
  })
}

function keySetIn(path: string): JSONWebKeySet {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as JSONWebKeySet
  } catch {
    throw new UsageError(`${path} is not a JSON Web Key Set`)
  }
}

export async function revoke(id: string, { by, ...data }: By, invocation: Invocation): Promise<number> {
  return await withPeople(data, invocation, async ({ database }) => {
    await revokeClient(database.kysely, id, by)
    return EXIT.done
  })
}

export async function list(options: DataOptions, invocation: Invocation): Promise<number> {
  return await withPeople(options, invocation, async ({ database }) => {
    const all = await listClients(database.kysely)
    for (const { id, name, scopes, redirect_uris, keys, certificate_name, revoked_at } of all) {
      const how = certificate_name
        ? `certificate ${certificate_name}`
        : keys
          ? 'key'
          : redirect_uris.join(' ')
      const state = revoked_at ? 'revoked' : 'active '
      invocation.terminal.out(`${id.padEnd(24)}  ${state}  ${name}  ${scopes.join(' ')}  ${how}\n`)
    }
    invocation.terminal.out(`${counted(all.length, 'app or service', 'apps and services')}.\n`)
    return EXIT.done
  })
}

export async function setPlace(
  id: string,
  { by, name, issuer, clientId, secretFile, idClaim, mfaAmr, mfaAcr, ...data }: ElsewhereOptions,
  invocation: Invocation,
): Promise<number> {
  const secret = secretFile === undefined ? {} : { secret: readFileSync(secretFile, 'utf8').trim() }
  return await withPeople(data, invocation, async ({ database, columns }) => {
    const place = { id, name, issuer, clientId, ...secret, idClaim, mfaAmr, mfaAcr }
    await setElsewhere({ db: database.kysely, columns }, place, by)
    invocation.terminal.out('It sends people back to URL/sign-in/back: register that there.\n')
    return EXIT.done
  })
}

export async function removePlace(id: string, { by, ...data }: By, invocation: Invocation): Promise<number> {
  return await withPeople(data, invocation, async ({ database }) => {
    await removeElsewhere(database.kysely, id, by)
    return EXIT.done
  })
}

export async function listPlaces(options: DataOptions, invocation: Invocation): Promise<number> {
  return await withPeople(options, invocation, async ({ database }) => {
    const all = await listElsewhere(database.kysely)
    for (const { id, name, issuer, id_claim, mfa_amr, mfa_acr } of all)
      invocation.terminal.out(
        `${id.padEnd(16)}  ${name}  ${issuer}  ${id_claim}  ${[...mfa_amr, ...mfa_acr].join(' ')}\n`,
      )
    invocation.terminal.out(`${counted(all.length, 'provider')}.\n`)
    return EXIT.done
  })
}
