// The little of graphene-pk11 that we use, and how it is found: an optional dependency with native code, which is not
// there where it could not be built. Hence our own types, and a name that the compiler does not resolve.

import { CustodyError } from './errors.ts'

/** A CK_ULONG or a handle, as the library holds it. */
type Native = number | Buffer
export type Attributes = Readonly<Record<string, boolean | number | string | Buffer | null>>
export type Mechanism = string | { readonly name: string; readonly params: unknown }
type Cipher = { readonly once: (data: Buffer, into: Buffer) => Buffer }

export type TokenObject = {
  readonly handle: Native
  readonly toType: () => TokenKey
}
export type TokenKey = TokenObject & {
  readonly label: string
  readonly getAttribute: (names: Attributes) => { readonly value?: Buffer; readonly label?: string }
  readonly destroy: () => void
}

export type TokenSession = {
  readonly login: (pin: string) => void
  readonly logout: () => void
  readonly close: () => void
  readonly create: (template: Attributes) => TokenObject
  readonly generateKey: (mechanism: number | string, template: Attributes) => TokenKey
  readonly find: (template: Attributes) => List<TokenObject>
  readonly createCipher: (mechanism: Mechanism, key: TokenKey) => Cipher
  readonly createDecipher: (mechanism: Mechanism, key: TokenKey) => Cipher
  readonly wrapKey: (mechanism: Mechanism, by: TokenKey, key: TokenKey) => Buffer
  // biome-ignore format: in the order of C_UnwrapKey
  readonly unwrapKey: (...args: [mechanism: Mechanism, by: TokenKey, wrapped: Buffer, template: Attributes]) => TokenObject
}

export type List<T> = { readonly length: number; readonly items: (index: number) => T }
export type Slot = {
  readonly getToken: () => { readonly label: string; readonly model: string; readonly manufacturerID: string }
  readonly getMechanisms: () => List<{ readonly name: string }>
  readonly open: (flags: number) => TokenSession
}
export type Pkcs11Module = {
  readonly initialize: () => void
  readonly getSlots: (tokenPresent: boolean) => List<Slot>
}

export type Pkcs11Library = {
  readonly Module: { readonly load: (path: string) => Pkcs11Module }
  readonly AesGcmParams: new (iv: Buffer, aad: Buffer, tagBits: number) => unknown
}

const LIBRARY: string = 'graphene-pk11'

export async function loadPkcs11(): Promise<Pkcs11Library> {
  try {
    const loaded = (await import(LIBRARY)) as { readonly default?: Pkcs11Library } & Pkcs11Library
    return loaded.default ?? loaded
  } catch (cause) {
    throw new CustodyError(
      'UNSUPPORTED',
      'graphene-pk11, which speaks to PKCS#11 modules, is not installed',
      {
        cause,
      },
    )
  }
}

export function listed<T>(list: List<T>): readonly T[] {
  return Array.from({ length: list.length }, (_, i) => list.items(i))
}

/** "CKR_PIN_INCORRECT", or '' for what is no error of a token. */
export function ckr(error: unknown): string {
  const name = error instanceof Error ? (/CKR_\w+/.exec(error.message)?.[0] ?? '') : ''
  return name
}
