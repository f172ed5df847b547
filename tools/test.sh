#!/usr/bin/env bash
# `npm test`: the peers, the check, then every test there is in one run, so that its closing lines count them all.
set -euo pipefail
cd "$(dirname "$0")/.."

bash tools/peers.sh
node tools/check.ts --no-unit
exec node --test --test-reporter=spec \
  'packages/*/src/**/*.test.ts' 'apps/*/src/**/*.test.ts' 'tools/**/*.test.ts' 'test/**/*.test.ts'
