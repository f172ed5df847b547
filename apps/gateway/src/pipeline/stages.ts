// What a worker is given to do its jobs with: the InstanceModule of a real run.

import { PROFILE_EDITION } from '@roentgate/deid'
import { compileProjectRecipe } from './project.ts'
import type { RunDescription, RunSettings } from './types.ts'

export { drainCounts, explainInstance, processInstance, scanFile, verifyInstance } from './instance.ts'

export function describeRun(settings: RunSettings): RunDescription {
  const { name, digest, description, options, safeHarbor } = compileProjectRecipe(settings.recipe)
  return {
    recipe: { name, digest, description, options: [...options].sort(), safeHarbor },
    edition: PROFILE_EDITION,
  }
}
