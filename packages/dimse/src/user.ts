// The user information of an association (PS3.7 D.3.3): what each side can do beyond its presentation contexts.

import { counted, encodeItem, Fields, type Item, itemText } from './items.ts'

export type Role = { readonly sopClass: string; readonly scu: boolean; readonly scp: boolean }
/** PS3.7 D.3.3.7: 1 user name, 2 with passcode, 3 Kerberos, 4 SAML, 5 JSON Web Token. */
export type Identity = {
  readonly type: number
  readonly wantsAnswer: boolean
  readonly primary: Uint8Array
  readonly secondary: Uint8Array
}

export type UserInformation = {
  /** Of a P-DATA PDU's body that this side takes; 0: any. */
  readonly maxLength: number
  readonly implementationUid: string
  readonly implementationVersion: string
  readonly window?: { readonly invoked: number; readonly performed: number }
  readonly roles: readonly Role[]
  readonly extended: readonly { readonly sopClass: string; readonly info: Uint8Array }[]
  readonly commonExtended: readonly {
    readonly sopClass: string
    readonly serviceClass: string
    readonly related: readonly string[]
  }[]
  readonly identity?: Identity
  /** In an acceptance: what the acceptor says to an identity that wanted an answer. */
  readonly identityAnswer?: Uint8Array
}

export const NO_USER: UserInformation = {
  maxLength: 0,
  implementationUid: '',
  implementationVersion: '',
  roles: [],
  extended: [],
  commonExtended: [],
}

const ITEM = {
  maxLength: 0x51,
  implementationUid: 0x52,
  window: 0x53,
  role: 0x54,
  implementationVersion: 0x55,
  extended: 0x56,
  commonExtended: 0x57,
  identity: 0x58,
  identityAnswer: 0x59,
}

export function encodeUser(user: UserInformation): Buffer {
  const text = (value: string): Buffer => Buffer.from(value, 'latin1')
  const u16 = (...values: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(values.length * 2)
    for (const [place, value] of values.entries()) bytes.writeUInt16BE(value, place * 2)
    return bytes
  }
  const maxLength = Buffer.alloc(4)
  maxLength.writeUInt32BE(user.maxLength)
  const { window, identity, identityAnswer } = user
  const optional = (type: number, value: string): readonly Buffer[] =>
    value === '' ? [] : [encodeItem(type, text(value))]
  return Buffer.concat([
    encodeItem(ITEM.maxLength, maxLength),
    ...optional(ITEM.implementationUid, user.implementationUid),
    ...(window ? [encodeItem(ITEM.window, u16(window.invoked, window.performed))] : []),
    ...user.roles.map(({ sopClass, scu, scp }) =>
      encodeItem(ITEM.role, counted(text(sopClass)), Buffer.from([scu ? 1 : 0, scp ? 1 : 0])),
    ),
    ...optional(ITEM.implementationVersion, user.implementationVersion),
    ...user.extended.map(({ sopClass, info }) => encodeItem(ITEM.extended, counted(text(sopClass)), info)),
    ...user.commonExtended.map(({ sopClass, serviceClass, related }) =>
      encodeItem(
        ITEM.commonExtended,
        counted(text(sopClass)),
        counted(text(serviceClass)),
        counted(Buffer.concat(related.map((uid) => counted(text(uid))))),
      ),
    ),
    ...(identity
      ? [
          encodeItem(
            ITEM.identity,
            Buffer.from([identity.type, identity.wantsAnswer ? 1 : 0]),
            counted(identity.primary),
            counted(identity.secondary),
          ),
        ]
      : []),
    ...(identityAnswer ? [encodeItem(ITEM.identityAnswer, counted(identityAnswer))] : []),
  ])
}

/** Items of other types are left out: later editions add some. */
export function decodeUser(items: readonly Item[]): UserInformation {
  const of = (type: number): readonly Buffer[] =>
    items.filter((item) => item.type === type).map(({ value }) => value)
  const [maxLength] = of(ITEM.maxLength)
  const [implementationUid] = of(ITEM.implementationUid)
  const [implementationVersion] = of(ITEM.implementationVersion)
  const [window] = of(ITEM.window).map((value) => new Fields(value))
  const [identity] = of(ITEM.identity).map((value) => new Fields(value))
  const [identityAnswer] = of(ITEM.identityAnswer).map((value) => new Fields(value))
  return {
    maxLength: maxLength ? new Fields(maxLength).u32() : 0,
    implementationUid: implementationUid ? itemText(implementationUid) : '',
    implementationVersion: implementationVersion ? itemText(implementationVersion) : '',
    ...(window ? { window: { invoked: window.u16(), performed: window.u16() } } : {}),
    roles: of(ITEM.role).map((value) => {
      const fields = new Fields(value)
      return { sopClass: itemText(fields.counted()), scu: fields.u8() === 1, scp: fields.u8() === 1 }
    }),
    extended: of(ITEM.extended).map((value) => {
      const fields = new Fields(value)
      return { sopClass: itemText(fields.counted()), info: fields.rest() }
    }),
    commonExtended: of(ITEM.commonExtended).map((value) => {
      const fields = new Fields(value)
      const sopClass = itemText(fields.counted())
      const serviceClass = itemText(fields.counted())
      const related: string[] = []
      for (const list = new Fields(fields.counted()); list.left > 0; ) related.push(itemText(list.counted()))
      return { sopClass, serviceClass, related }
    }),
    ...(identity
      ? {
          identity: {
            type: identity.u8(),
            wantsAnswer: identity.u8() === 1,
            primary: identity.counted(),
            secondary: identity.counted(),
          },
        }
      : {}),
    ...(identityAnswer ? { identityAnswer: identityAnswer.counted() } : {}),
  }
}
