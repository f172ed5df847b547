// npm run policy: writes docs/policy.md as the policy's table says.

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { renderedPolicy } from '../apps/gateway/src/policy/rendered.ts'

writeFileSync(fileURLToPath(new URL('../docs/policy.md', import.meta.url)), renderedPolicy())
