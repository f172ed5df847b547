// What can be wrong with a token. No text holds any of it.

export type AccessCode = 'NO_TOKEN' | 'BAD_TOKEN' | 'BAD_PROOF' | 'BUSY'

export class AccessError extends Error {
  readonly code: AccessCode
  constructor(code: AccessCode, what: string) {
    super(what)
    this.name = 'AccessError'
    this.code = code
  }
}

const CHALLENGES: Readonly<Record<AccessCode, string>> = {
  NO_TOKEN: 'DPoP algs="ES256 Ed25519"',
  BAD_TOKEN: 'DPoP error="invalid_token", algs="ES256 Ed25519"',
  BAD_PROOF: 'DPoP error="invalid_dpop_proof", algs="ES256 Ed25519"',
  BUSY: 'DPoP algs="ES256 Ed25519"',
}

/** For WWW-Authenticate (RFC 9449 7.1). */
export function challengeOf({ code }: AccessError): string {
  return CHALLENGES[code]
}
