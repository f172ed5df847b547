// Passkeys: asks the authenticator what the server wants to know, and brings the answer back. Forms with data-passkey.
for (const form of document.querySelectorAll('form[data-passkey]')) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const { passkey, options, then = '/account' } = form.dataset
    const note = form.querySelector('[role=alert]')
    const post = (path, body) =>
      fetch(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    try {
      const asked = await post(options, {})
      if (!asked.ok) throw new Error(await asked.text())
      const wanted = await asked.json()
      const credential =
        passkey === 'create'
          ? await navigator.credentials.create({
              publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(wanted),
            })
          : await navigator.credentials.get({
              publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(wanted),
            })
      const name = form.querySelector('input[name=name]')?.value
      const answer = await post(form.action, { name, response: credential.toJSON() })
      if (!answer.ok) throw new Error(await answer.text())
      location.assign(then)
    } catch (error) {
      note.hidden = false
      note.textContent =
        error instanceof DOMException ? 'The authenticator was not used, or not in time.' : error.message
    }
  })
}
