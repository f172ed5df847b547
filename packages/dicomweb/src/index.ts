export * from './errors.ts'
export * from './media.ts'
export * from './multipart.ts'
export * from './multipart-type.ts'
