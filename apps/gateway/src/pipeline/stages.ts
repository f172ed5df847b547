// What a worker is given to do its jobs with: the InstanceModule of a real run.

import { METHOD_CODES, PRESETS, PROFILE_EDITION } from '@roentgate/deid'
import { compileProjectRecipe } from './project.ts'
import type { RunDescription, RunSettings } from './types.ts'

export { planFace } from './faces.ts'
export { drainCounts, processInstance } from './instance.ts'
export { explainInstance, verifyInstance } from './recheck.ts'
export { scanFile } from './scan.ts'

/** A preset comes by name, without its text: the main thread does not load recipes. */
export function prepare(settings: RunSettings): RunSettings {
  const { name, text } = settings.recipe
  return text === '' ? { ...settings, recipe: { name, text: PRESETS.get(name) ?? '' } } : settings
}

export function describeRun(settings: RunSettings): RunDescription {
  if (settings.recipe.text === '') throw new UnknownPreset(settings.recipe.name)
  const { name, digest, description, options, safeHarbor } = compileProjectRecipe(settings.recipe)
  return {
    recipe: { name, digest, description, options: [...options].sort(), safeHarbor },
    edition: PROFILE_EDITION,
    methods: [...METHOD_CODES],
  }
}

class UnknownPreset extends Error {
  constructor(name: string) {
    super(
      `no preset is called ${name}: there are ${[...PRESETS.keys()].join(', ')}; a recipe of yours ends in .yaml`,
    )
    this.name = 'RecipeError'
  }
}
