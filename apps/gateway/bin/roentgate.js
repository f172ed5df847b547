#!/usr/bin/env node
// Starts roentgate under a Node that can run it. The syntax is that of Node 12, so that an old Node gets this far:
//   Node >= 24: import ../src/main.ts (type stripping), with V8's compile cache on
//   older:      run this file again with the binary of the npm package `node`, or say what to install

const OLDEST = 24
const major = Number(process.versions.node.split('.')[0])

if (major >= OLDEST) runHere()
else runAgain()

function runHere() {
  import('node:module')
    .then((module) => {
      if (module.enableCompileCache) module.enableCompileCache()
      return import('../src/main.ts')
    })
    .catch((error) => {
      console.error(error)
      process.exitCode = 1
    })
}

function runAgain() {
  Promise.all([
    import('node:module'),
    import('node:path'),
    import('node:fs'),
    import('node:child_process'),
    import('node:url'),
  ])
    .then(([module, path, fs, childProcess, url]) => {
      const here = url.fileURLToPath(import.meta.url)
      const node = bundled({ require: module.createRequire(import.meta.url), path, fs })
      if (!node) {
        console.error(
          `roentgate needs Node ${OLDEST} or newer and this is ${process.version}: install it from https://nodejs.org, or run: npm install node@${OLDEST}`,
        )
        process.exitCode = 1
        return
      }
      const child = childProcess.spawn(node, [here].concat(process.argv.slice(2)), { stdio: 'inherit' })
      const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
      // A terminal sends Ctrl-C to the whole group; staying alive here lets the child end in its own way.
      signals.forEach((signal) => {
        process.on(signal, () => {
          if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
        })
      })
      child.on('error', (error) => {
        console.error(`roentgate could not start ${node}: ${error.message}`)
        process.exitCode = 1
      })
      child.on('exit', (code, signal) => {
        if (!signal) process.exit(code === null ? 1 : code)
        signals.forEach((each) => {
          process.removeAllListeners(each)
        })
        process.kill(process.pid, signal)
      })
    })
    .catch((error) => {
      console.error(error)
      process.exitCode = 1
    })
}

function bundled(using) {
  try {
    const root = using.path.dirname(using.require.resolve('node/package.json'))
    const names = ['bin/node', 'bin/node.exe'].map((name) => using.path.join(root, name))
    return names.find((name) => using.fs.existsSync(name))
  } catch (_error) {
    return undefined
  }
}
