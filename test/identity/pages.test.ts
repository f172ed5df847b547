// The pages in a browser, from the first start on: a link that opens the first account, over TLS, with Debian's Chromium.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { generate } from 'otplib'
import { type Browser, chromium, type Page } from 'playwright-core'
import { ROUTES } from '../../apps/gateway/src/http/routes.ts'
import { passable } from '../support/data-folder.ts'
import { peer, skipUnless } from '../support/peers.ts'
import { roentgate } from '../support/terminal.ts'

const found = peer('chromium')
const folder = passable('roentgate-pages-')
const at = (name: string): string => join(folder, name)
const PROGRAM = fileURLToPath(new URL('../../apps/gateway/src/main.ts', import.meta.url))
const PASSWORD = 'violet anchor seven lamps'

/** SHA-256 of the public key that a server shows, base64. */
async function spkiOf(port: number): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { publicKey } = socket.getPeerX509Certificate() ?? assert.fail()
  socket.destroy()
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64')
}

suite('pages', { ...skipUnless(found), timeout: 120_000 }, () => {
  const open: {
    child?: ChildProcess
    browser?: Browser
    page?: Page
    said: string
    problems: string[]
    codes: string[]
  } = {
    said: '',
    problems: [],
    codes: [],
  }
  const here = { data: at('data'), passphraseFile: at('passphrase') }
  const page = (): Page => open.page ?? assert.fail()
  const link = (): string => /https:\S+\/enrol#\S+/.exec(open.said)?.[0] ?? assert.fail(open.said)
  const origin = (): string => new URL(link()).origin

  before(async () => {
    writeFileSync(at('passphrase'), 'for tests')
    assert.equal((await roentgate(['ca', 'init', '--name', 'Try'], here)).code, 0)
    open.child = spawn(process.execPath, [PROGRAM, 'serve', '--port', '0', '--http', '127.0.0.1:0'], {
      env: { ...process.env, ROENTGATE_DATA: here.data, ROENTGATE_PASSPHRASE_FILE: here.passphraseFile },
    })
    for (const stream of [open.child.stdout, open.child.stderr])
      stream?.on('data', (chunk: Buffer) => (open.said += chunk))
    for (let turn = 0; turn < 200 && !open.said.includes('listens on'); turn++)
      await new Promise((resolve) => setTimeout(resolve, 100))
    // The authority is the test's own; a browser lets no passkey near a certificate that it does not believe.
    const believed = `--ignore-certificate-errors-spki-list=${await spkiOf(Number(new URL(origin()).port))}`
    open.browser = await chromium.launch({ executablePath: found.path, args: ['--no-sandbox', believed] })
    const context = await open.browser.newContext()
    open.page = await context.newPage()
    open.page.on('console', (message) => {
      if (message.type() === 'error') open.problems.push(message.text())
    })
    open.page.on('pageerror', (error) => open.problems.push(String(error)))
  })

  after(async () => {
    await open.browser?.close()
    open.child?.kill('SIGINT')
    if (open.child && open.child.exitCode === null) await once(open.child, 'close')
    rmSync(folder, { recursive: true, force: true })
  })

  test('the first link opens the first account; its token leaves the address; then it signs in', async () => {
    await page().goto(link())
    assert.equal(page().url(), `${origin()}/enrol`)
    const secret = await page().inputValue('input[name=secret]')
    await page().fill('#password', PASSWORD)
    await page().fill('#code', await generate({ secret }))
    await page().click('text=Open the account')
    const codes = await page().locator('.codes code').allTextContents()
    assert.equal(codes.length, 10)
    open.codes.push(...codes.slice(1))
    await page().click('text=Sign in')
    await page().fill('#person', 'Administrator')
    await page().fill('#password', PASSWORD)
    await page().click('text=Go on')
    await page().fill('#code', codes[0] ?? '')
    await page().click('button')
    await page().waitForURL('**/account')
    assert.match((await page().textContent('main')) ?? '', /security-officer for the institution/)
    const [cookie, ...more] = await page().context().cookies()
    assert.deepEqual(
      [cookie?.name, cookie?.secure, cookie?.httpOnly, cookie?.sameSite, more.length],
      ['__Host-roentgate', true, true, 'Strict', 0],
    )
    assert.deepEqual(open.problems, [], 'nothing that the policy of contents refuses')
  })

  test('a passkey is added with a fresh second factor, and is one from then on; on another name there is none', async () => {
    const cdp = await page().context().newCDPSession(page())
    await cdp.send('WebAuthn.enable')
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    const named = origin().replace('127.0.0.1', 'localhost')
    const codes = open.codes.values()
    const firstStep = async (): Promise<void> => {
      await page().goto(`${named}/sign-in`)
      await page().fill('#person', 'administrator')
      await page().fill('#password', PASSWORD)
      await page().click('text=Go on')
    }
    await firstStep()
    await page().fill('#code', codes.next().value ?? '')
    await page().click('text=Sign in')
    await page().waitForURL('**/account')
    await page().fill('#name', 'Key of the test')
    await page().click('text=Add a passkey')
    await page().waitForSelector('text=Key of the test, not used yet')
    await page().click('text=Sign out')
    await firstStep()
    await page().click('text=Use a passkey')
    await page().waitForURL('**/account')
    assert.match((await page().textContent('main')) ?? '', /Key of the test, last used/)
    // One that does not verify its user shows nothing.
    await page().click('text=Sign out')
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
    await firstStep()
    await page().click('text=Use a passkey')
    await page().waitForSelector('text=The authenticator was not used, or not in time.')
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true })
    await page().goto(`${origin().replace('localhost', '127.0.0.1')}/sign-in`)
    await page().fill('#person', 'administrator')
    await page().fill('#password', PASSWORD)
    await page().click('text=Go on')
    await page().waitForSelector('#code')
    assert.equal(await page().locator('text=Use a passkey').count(), 0, 'by address')
    await page().fill('#code', codes.next().value ?? '')
    await page().click('text=Sign in')
    await page().waitForURL('**/account')
    await cdp.detach()
  })

  test('fields have labels, every page a title and a heading, and the keyboard is enough', async () => {
    for (const path of ['/sign-in', '/sign-in/second', '/enrol', '/account']) {
      await page().goto(origin() + path)
      const bare = await page()
        .locator('input:not([type=hidden])')
        .evaluateAll((all) => all.filter((one) => (one as HTMLInputElement).labels?.length === 0).length)
      assert.equal(bare, 0, path)
      assert.equal(await page().locator('h1').count(), 1, path)
      assert.notEqual(await page().title(), '', path)
      assert.equal(await page().getAttribute('html', 'lang'), 'en')
    }
    await page().keyboard.press('Tab')
    assert.equal(await page().evaluate(() => document.activeElement?.tagName !== 'BODY'), true)
  })

  test('without a session every page of one leads to signing in', async () => {
    for (const { method, path, access, because } of ROUTES) {
      assert.notEqual(because, '')
      if (access !== 'session') continue
      const answer = await page().request.fetch(origin() + path.replace(':id', '0'.repeat(36)), {
        method,
        maxRedirects: 0,
        ignoreHTTPSErrors: true,
        headers: { origin: origin(), cookie: 'none=1', 'sec-fetch-site': 'same-origin' },
      })
      assert.equal(answer.headers().location, '/sign-in', `${method} ${path}`)
    }
  })

  test('HTTP/2 and HTTP/1.1 on one port; nothing below TLS 1.2, and no suite without forward secrecy', async () => {
    const port = Number(new URL(origin()).port)
    const session = connectHttp2(origin(), { rejectUnauthorized: false })
    const stream = session.request({ ':path': '/sign-in' })
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
    assert.equal(headers[':status'], 200)
    assert.match(String(headers['strict-transport-security']), /max-age=\d{8}/)
    stream.close()
    session.close()
    const over = async (options: object): Promise<string> => {
      const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
      const [error] = await Promise.race([
        once(socket, 'secureConnect').then(() => []),
        once(socket, 'error'),
      ])
      const protocol = error ? 'refused' : `${socket.getProtocol()} ${socket.alpnProtocol || 'http/1.1'}`
      socket.destroy()
      return protocol
    }
    assert.match(await over({ ALPNProtocols: ['http/1.1'] }), /^TLSv1\.3 http\/1\.1$/)
    assert.match(await over({ maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] }), /^TLSv1\.2 h2$/)
    assert.equal(
      await over({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }),
      'refused',
    )
    assert.equal(await over({ maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:@SECLEVEL=0' }), 'refused')
  })

  test('people by command: invited, listed, suspended, removed; once somebody is there, no first link', async () => {
    const run = (...words: readonly string[]) => roentgate(words, here)
    const invited = await run(
      'person',
      'invite',
      'rita.keller',
      '--name',
      'Rita Keller',
      '--url',
      origin(),
      '--by',
      'ana',
    )
    assert.match(invited.out, /^For 72 hours, once, for rita\.keller alone: https:\S+\/enrol#[\w-]{43}\n$/)
    assert.match(
      (await run('person', 'invite', 'rita.keller', '--name', 'R', '--by', 'ana')).err,
      /not given twice/,
    )
    assert.match(
      (await run('person', 'invite', 'R K', '--name', 'R', '--by', 'ana')).err,
      /a user ID has 3 to 64/,
    )
    assert.match(
      (await run('person', 'list')).out,
      /administrator +active .*\nrita\.keller +invited .* Rita Keller\n2 people\.\n$/,
    )
    assert.match(
      (await run('sessions', 'revoke', 'administrator', '--by', 'ana')).out,
      /^\d sessions? ended\.\n$/,
    )
    await page().goto(`${origin()}/account`)
    assert.equal(page().url(), `${origin()}/sign-in`)
    for (const act of ['suspend', 'activate', 'suspend', 'remove'])
      assert.equal((await run('person', act, 'administrator', '--by', 'ana')).code, 0, act)
    assert.match((await run('person', 'activate', 'rita.keller', '--by', 'ana')).err, /only a suspension/)
  })
})
