// Every bound of an association, with its reason.

/** One byte of odd numbers (PS3.8 9.3.2.2). */
export const MAX_CONTEXTS = 128
/** There are fewer than a hundred transfer syntaxes. */
export const MAX_SYNTAXES = 256
/** Items of one PDU, sub-items included where they nest. */
export const MAX_ITEMS = 4096
/** An association request of 128 contexts with all syntaxes is some 50 KB; identity tokens add to it. */
export const MAX_ASSOCIATE_BYTES = 256 << 10
/** What we offer to receive, and what we take. */
export const MAX_DATA_BYTES = 256 << 10
/** A command set is a few hundred bytes. */
export const MAX_COMMAND_BYTES = 64 << 10
/** Of a data set that is read whole: an identifier of a query, an action. */
export const MAX_IDENTIFIER_BYTES = 4 << 20
