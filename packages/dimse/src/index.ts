// DICOM upper layer (PS3.8) and message exchange (PS3.7) over TCP and TLS.
//
//   connect(…) ─► Association: echo, store, request           listen({ decide, … }) ─► a handler for each association
//
// Data sets are bytes here, in the transfer syntax of their presentation context.

export * from './association.ts'
export * from './command.ts'
export * from './connect.ts'
export * from './errors.ts'
export { MAX_CONTEXTS, MAX_IDENTIFIER_BYTES } from './limits.ts'
export * from './listen.ts'
export { whole } from './messages.ts'
export type { Content } from './outbox.ts'
export * from './pdu.ts'
export * from './reader.ts'
export { DEADLINES, type Deadlines } from './upper.ts'
export * from './user.ts'
