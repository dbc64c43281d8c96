import type { Grid, GridRow } from "../fleet/grid.js"
import { named } from "./history.js"
import { type Content, html, type Markup } from "./markup.js"

/** So many rows are listed: the page stays small whatever the fleet. */
const mostRows = 1200

/** Where each database of a fleet stands: a bar as far as it has come along the history, those that are behind first. */
export function fleetSection({ migrations, rows }: Grid): Content {
  if (rows.length === 0) return undefined
  const places = new Map(migrations.map((name, at) => [name, at]))
  const last = migrations.at(-1)
  const isBehind = (row: GridRow) => row.newest !== last || badStates.has(row.state) || (row.pending?.length ?? 0) > 0
  const behind = rows.filter(isBehind)
  const current = rows.filter((row) => !isBehind(row))
  const table = (
    list: readonly GridRow[],
    caption: string,
  ): Markup => html`<div class="lanes" role="region" aria-label="${caption}" tabindex="0"><table class="fleet">
<caption class="vh">${caption}</caption>
<thead><tr><th scope="col">Database</th><th scope="col" class="when">Along the history</th><th scope="col">State</th><th scope="col">Newest migration</th></tr></thead>
<tbody>${list.slice(0, mostRows).map((row) => rowOf(row, { places, total: migrations.length }))}</tbody></table></div>
${list.length > mostRows && html`<p class="muted">${list.length - mostRows} more are not listed.</p>`}`
  return html`<section id="fleet" aria-labelledby="h-fleet">
<h2 id="h-fleet">Databases</h2>
<p class="lead">${current.length} of ${rows.length} have the newest of ${migrations.length} migrations${states(rows)}</p>
${behind.length > 0 && table(behind, "Databases that are behind")}
${current.length > 0 && html`<details data-list${behind.length === 0 && html` open`}><summary>${current.length} up to date</summary>${table(current, "Databases that are up to date")}</details>`}
</section>`
}

const badStates: ReadonlySet<string> = new Set(["failed", "interrupted", "edited", "missing", "drifted", "unreadable"])

function states(rows: readonly GridRow[]): string {
  const counts = new Map<string, number>()
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1)
  return `: ${[...counts].map(([state, count]) => `${count} ${state}`).join(", ")}.`
}

interface Scale {
  readonly places: ReadonlyMap<string, number>
  readonly total: number
}

function rowOf({ name, group, state, newest, pending = [], failed = [] }: GridRow, { places, total }: Scale): Markup {
  const percent = (count: number) => ((100 * count) / Math.max(1, total)).toFixed(1)
  const reached = newest === null ? 0 : (places.get(newest) ?? -1) + 1
  const holes = [...pending, ...failed].flatMap((one) => places.get(one) ?? []).filter((at) => at < reached)
  const gaps = holes.map(
    (at) => html`<rect class="hole" x="${percent(at)}%" width="${percent(1)}%" y="3" height="10"/>`,
  )
  const tone = badStates.has(state) ? "bad" : reached === total ? "good" : "warn"
  return html`<tr><th scope="row"><code>${name}</code>${group !== null && html`<span class="size">${group}</span>`}</th>
<td class="when"><svg height="16" aria-hidden="true"><rect class="track" width="100%" y="3" height="10" rx="3"/><rect class="reached" width="${percent(reached)}%" y="3" height="10" rx="3"/>${gaps}</svg></td>
<td class="t-${tone}">${state}</td><td>${newest === null ? html`<span class="muted">none, or not known</span>` : named(newest)}</td></tr>
`
}
