// Tells a source that broke off (the sender's fault: thrown as it is) from a disk or bucket that failed (a StoreError).

import { ioError, StoreError, systemCode } from './errors.ts'

class SourceFailed extends Error {}

export async function* fromSource(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* source
  } catch (cause) {
    throw new SourceFailed('the source of a blob failed', { cause })
  }
}

/** For use within a store: what the source threw stays marked. */
export function storeFailure(doing: string, error: unknown): Error {
  return error instanceof SourceFailed ? error : ioError(doing, error)
}

/** Whether a store was closed; shared by what it hands out. */
export type Closed = { is: boolean }

/** A call of a store that says CLOSED once it is, and whose failures are a store's. */
export function guarded<A extends readonly unknown[], R>(
  closed: Closed,
  doing: string,
  act: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  return async (...args) => {
    if (closed.is) throw new StoreError('CLOSED', 'the store is closed')
    return await atTheDoor(doing, () => act(...args))
  }
}

/** At the door of a store. An ENOENT that nobody has explained is a blob that is not there. */
export async function atTheDoor<R>(doing: string, act: () => Promise<R>): Promise<R> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof SourceFailed) throw error.cause
    if (systemCode(error) === 'ENOENT') throw new StoreError('NOT_FOUND', 'no such blob', { cause: error })
    throw ioError(doing, error)
  }
}
