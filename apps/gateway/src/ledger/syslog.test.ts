// The plain ways to a collector, and what is noticed of its end. TLS is tested against a real one (test/ledger).

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { connectSyslog } from './syslog.ts'

const HOST = '127.0.0.1'
const FRAMES = ['3 one', '5 two ü'].map((text) => Buffer.from(text))

test('TCP: frames as they are, and an end in good order', async () => {
  const { port, sockets, close } = await listening()
  const connection = await connectSyslog({ kind: 'tcp', host: HOST, port, unencrypted: 'accepted' })
  const [socket] = await sockets
  const received: Buffer[] = []
  socket.on('data', (chunk: Buffer) => received.push(chunk))
  await connection.send(FRAMES)
  assert.equal(await connection.end(), true)
  assert.deepEqual(Buffer.concat(received), Buffer.concat(FRAMES))
  close()
})

test('TCP: a collector that hangs up is noticed without sending, and ends nothing well', async () => {
  const { port, sockets, close } = await listening()
  const connection = await connectSyslog({ kind: 'tcp', host: HOST, port, unencrypted: 'accepted' })
  const [socket] = await sockets
  const lost = once(connection.lost, 'abort')
  socket.end()
  await lost
  await assert.rejects(connection.send(FRAMES), { code: 'SINK_FAILED' })
  assert.equal(await connection.end(), false)
  close()
})

test('TCP: nobody there', async () => {
  const { port, close } = await listening()
  close()
  const going = connectSyslog({ kind: 'tcp', host: HOST, port, unencrypted: 'accepted' })
  await assert.rejects(going, { code: 'SINK_FAILED' })
})

test('UDP: a datagram a message, without its length; one that is too long is left out', async () => {
  const server = createSocket('udp4')
  server.bind(0, HOST)
  await once(server, 'listening')
  const received: string[] = []
  server.on('message', (message) => received.push(message.toString('utf8')))
  const { port } = server.address()
  const connection = await connectSyslog({ kind: 'udp', host: HOST, port, unencrypted: 'accepted' })
  await connection.send([Buffer.from(`70000 ${'x'.repeat(70_000)}`), ...FRAMES])
  while (received.length < 2) await once(server, 'message')
  assert.deepEqual(received, ['one', 'two ü'])
  assert.equal(await connection.end(), true)
  server.close()
})

async function listening() {
  const server = createServer()
  server.listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sockets = once(server, 'connection') as Promise<[Socket]>
  return { port, sockets, close: () => server.close() }
}
