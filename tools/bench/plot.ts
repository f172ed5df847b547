// A bar chart as SVG: one bar a rival, its median, and a line from its fastest to its slowest round.

import type { Standing } from './race.ts'

const WIDTH = 720
const LEFT = 140
const RIGHT = 130
const BAR = 26
const STEP = 40
const TOP = 44

export function plot(title: string, standings: readonly Standing[]): string {
  const longest = Math.max(...standings.map(({ slowest }) => slowest))
  const scale = (WIDTH - LEFT - RIGHT) / longest
  const height = TOP + standings.length * STEP + 12
  const bars = standings.map((each, place) => bar(each, TOP + place * STEP, scale))
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="14">
<rect width="100%" height="100%" fill="#fff"/>
<text x="16" y="26" font-weight="600" fill="#16202a">${title}</text>
${bars.join('\n')}
</svg>
`
}

function bar({ name, seconds, fastest, slowest }: Standing, y: number, scale: number): string {
  const at = (value: number): string => (LEFT + value * scale).toFixed(1)
  const middle = y + BAR / 2
  const fill = name === 'roentgate' ? '#0b6e78' : '#b8c4cc'
  return `<text x="${LEFT - 10}" y="${middle + 5}" text-anchor="end" fill="#16202a">${name}</text>
<rect x="${LEFT}" y="${y}" width="${(seconds * scale).toFixed(1)}" height="${BAR}" fill="${fill}"/>
<path d="M${at(fastest)} ${middle}H${at(slowest)}" stroke="#16202a" stroke-width="1.5"/>
<text x="${(LEFT + slowest * scale + 10).toFixed(1)}" y="${middle + 5}" fill="#16202a">${seconds.toFixed(2)} s</text>`
}
