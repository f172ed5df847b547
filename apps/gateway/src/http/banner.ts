// What stands above every page of somebody: an emergency that is open (45 CFR 164.312(a)(2)(ii)).

import { when } from './html.ts'
import type { Person } from './site.ts'

/** Of whoever has an emergency open: on top of every page. */
export function bannerOf({ grants }: Person): { readonly banner?: string } {
  const open = grants.filter(({ emergency }) => emergency)
  const last = Math.max(...open.map(({ until }) => until?.getTime() ?? 0))
  if (open.length === 0) return {}
  const whom = open.length === 1 ? 'one patient' : `${open.length} patients`
  return { banner: `Emergency access to ${whom} until ${when(new Date(last))}. It will be reviewed.` }
}
