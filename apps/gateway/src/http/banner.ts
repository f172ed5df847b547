// What stands above every page of somebody: an emergency that is open (45 CFR 164.312(a)(2)(ii)), and the automatic logoff
// that comes (164.312(a)(2)(iii)).

import { type Around, when } from './html.ts'
import type { Person, Site } from './site.ts'

export function aroundOf({ limits }: Pick<Site, 'limits'>, { grants }: Person): Around {
  const idle = limits.idleMs / 1000
  const open = grants.filter(({ emergency }) => emergency)
  const last = Math.max(...open.map(({ until }) => until?.getTime() ?? 0))
  if (open.length === 0) return { idle }
  const whom = open.length === 1 ? 'one patient' : `${open.length} patients`
  return { idle, banner: `Emergency access to ${whom} until ${when(new Date(last))}. It will be reviewed.` }
}
