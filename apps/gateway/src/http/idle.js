// Before a session ends by itself: a warning with what is left, a way to stay, and then nothing of it on the screen.
const lasts = Number(document.body.dataset.idle)
const WARN_S = 120
const note = document.getElementById('idle')
const clock = { since: Date.now() }

document.getElementById('stay')?.addEventListener('click', async () => {
  const answer = await fetch('/whoami')
  if (!answer.ok) return location.replace('/sign-in')
  clock.since = Date.now()
  note.hidden = true
})

if (lasts > 0 && note)
  setInterval(() => {
    const left = Math.ceil(lasts - (Date.now() - clock.since) / 1000)
    if (left <= 0) {
      document.body.replaceChildren()
      location.replace('/sign-in')
    } else if (left <= Math.min(WARN_S, lasts / 2)) {
      note.hidden = false
      note.querySelector('span').textContent = String(left)
    }
  }, 1000)
