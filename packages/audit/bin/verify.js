#!/usr/bin/env node
// roentgate-audit-verify under a Node that can run it. The syntax is that of Node 12, so that an old one gets to say so.

const OLDEST = 24
const major = Number(process.versions.node.split('.')[0])

if (major >= OLDEST) {
  import('./main.ts').catch((error) => {
    console.error(error)
    process.exitCode = 2
  })
} else {
  console.error(
    `roentgate-audit-verify needs Node ${OLDEST} or newer and this is ${process.version}: https://nodejs.org`,
  )
  process.exitCode = 2
}
