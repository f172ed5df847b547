// The token of a one-time link stands behind its #, which no server and no log sees: into the form, and out of the address.
const field = document.getElementById('token')
if (field instanceof HTMLInputElement && location.hash.length > 1) {
  field.value = location.hash.slice(1)
  history.replaceState(null, '', location.pathname)
}
