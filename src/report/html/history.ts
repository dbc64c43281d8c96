import type { Grid, GridRow } from "../formats/report.js"
import { type Content, html, type Markup } from "./markup.js"
import type { HistoryEntry, HistoryState } from "./picture.js"

/** The words and the mark of each state; colour alone says nothing. */
export const states: Readonly<Record<HistoryState, { readonly word: string; readonly mark: string }>> = {
  applied: { word: "applied", mark: "✓" },
  pending: { word: "pending", mark: "" },
  failed: { word: "failed", mark: "×" },
  undone: { word: "undone", mark: "↶" },
  edited: { word: "edited", mark: "≠" },
  missing: { word: "missing", mark: "?" },
  known: { word: "on the base", mark: "✓" },
}

/** How many of the last quiet migrations are shown before the rest is folded. */
const shownQuiet = 4
/** How many of the folded ones are listed: the page stays small whatever the history. */
const mostFolded = 1500
const mostShown = 60

/** The history as a timeline, oldest first: a strip of all of them, then the last ones, what is pending and what is wrong. */
export function timeline(history: readonly HistoryEntry[], linked: ReadonlyMap<string, string>): Content {
  if (history.length === 0) return undefined
  const isQuiet = ({ state }: HistoryEntry) => state === "applied" || state === "known"
  const lastQuiet = history.filter(isQuiet).slice(-shownQuiet)
  const visible = history.filter((one) => !isQuiet(one) || lastQuiet.includes(one))
  const shown = new Set(visible.slice(-mostShown))
  const folded = history.filter((one) => !shown.has(one))
  return html`<section id="history" aria-labelledby="h-history">
<h2 id="h-history">History</h2>
<p class="lead">${counts(history)}</p>
${strip(history)}
<ol class="timeline">
${folded.length > 0 && fold(folded, linked)}
${[...shown].map((one) => entry(one, linked))}
</ol>
</section>`
}

function counts(history: readonly HistoryEntry[]): string {
  const order: readonly HistoryState[] = ["failed", "pending", "edited", "missing", "undone", "applied", "known"]
  const parts = order.flatMap((state) => {
    const count = history.filter((one) => one.state === state).length
    return count === 0 ? [] : [`${count} ${states[state].word}`]
  })
  return `${history.length} ${history.length === 1 ? "migration" : "migrations"}: ${parts.join(", ")}.`
}

const stripWidth = 1180
const widestStep = 22
const rowHeight = 16

/** A mark a migration, in rows, so that how much of the history is in which state is seen at a glance. */
function strip(history: readonly HistoryEntry[]): Content {
  if (history.length < 8) return undefined
  const rows = Math.ceil(history.length / 130)
  const perRow = Math.ceil(history.length / rows)
  const step = Math.min(widestStep, stripWidth / perRow)
  const gap = Math.min(3, step * 0.3)
  const byState = new Map<HistoryState, string[]>()
  for (const [at, { state }] of history.entries()) {
    const x = (at % perRow) * step
    const y = Math.floor(at / perRow) * rowHeight
    const path = `M${x.toFixed(1)} ${y}h${(step - gap).toFixed(1)}v12h-${(step - gap).toFixed(1)}z`
    byState.set(state, [...(byState.get(state) ?? []), path])
  }
  const paths = [...byState].map(([state, path]) => html`<path class="s-${state}" d="${path.join("")}"/>`)
  return html`<svg class="strip" viewBox="0 0 ${(perRow * step).toFixed(1)} ${rows * rowHeight - 4}" width="${(perRow * step).toFixed(1)}" height="${rows * rowHeight - 4}" aria-hidden="true">${paths}</svg>`
}

function entry({ name, state, at, note }: HistoryEntry, linked: ReadonlyMap<string, string>): Markup {
  const { word, mark } = states[state]
  const target = linked.get(name)
  const title = target === undefined ? named(name) : html`<a href="#${target}">${named(name)}</a>`
  return html`<li class="s-${state}"><span class="dot" aria-hidden="true">${mark}</span><span class="what">${title}${note !== undefined && html` <span class="muted hint">${note}</span>`}</span><span class="state">${word}</span>${time(at)}</li>
`
}

function fold(entries: readonly HistoryEntry[], linked: ReadonlyMap<string, string>): Markup {
  const listed = entries.slice(-mostFolded)
  const left = entries.length - listed.length
  return html`<li class="fold"><span class="dot" aria-hidden="true">⋮</span><details data-list><summary>${entries.length} earlier</summary>
${left > 0 && html`<p class="muted">The first ${left} are not listed.</p>`}
<ol class="timeline">${listed.map((one) => entry(one, linked))}</ol></details></li>`
}

/** The timestamp is there, and is not what people look for. */
export function named(name: string): Markup {
  const [, stamp, rest] = /^(\d{8,17}[_-])(.+)$/.exec(name) ?? []
  if (stamp === undefined || rest === undefined) return html`<code class="name">${name}</code>`
  return html`<code class="name"><span class="stamp">${stamp}</span>${rest}</code>`
}

/** A time as people read it, in UTC. */
export function time(iso: string | undefined): Content {
  if (iso === undefined || Number.isNaN(Date.parse(iso))) return undefined
  const text = new Date(iso).toISOString()
  return html`<time datetime="${text}">${text.slice(0, 10)} ${text.slice(11, 16)}</time>`
}

/** So many rows are listed: the page stays small whatever the fleet. */
const mostRows = 1200

/** Where each database of a fleet stands: a bar as far as it has come along the history, those that are behind first. */
export function fleetSection({ of, names, rows }: Grid): Content {
  if (rows.length === 0) return undefined
  const places = new Map(names.map((name, at) => [name, at]))
  const last = names.at(-1)
  const isOfMigrations = of === "migration"
  const isBehind = (row: GridRow) => row.newest !== last || badStates.has(row.state) || (row.pending?.length ?? 0) > 0
  const behind = rows.filter(isBehind)
  const current = rows.filter((row) => !isBehind(row))
  const table = (
    list: readonly GridRow[],
    caption: string,
  ): Markup => html`<div class="lanes" role="region" aria-label="${caption}" tabindex="0"><table class="fleet">
<caption class="vh">${caption}</caption>
<thead><tr><th scope="col">Database</th><th scope="col" class="when">${isOfMigrations ? "Along the history" : "Along the backfills"}</th><th scope="col">State</th><th scope="col">${isOfMigrations ? "Newest migration" : "Last finished"}</th></tr></thead>
<tbody>${list.slice(0, mostRows).map((row) => rowOf(row, { places, total: names.length }))}</tbody></table></div>
${list.length > mostRows && html`<p class="muted">${list.length - mostRows} more are not listed.</p>`}`
  return html`<section id="fleet" aria-labelledby="h-fleet">
<h2 id="h-fleet">Databases</h2>
<p class="lead">${current.length} of ${rows.length} have ${isOfMigrations ? "the newest of" : "finished"} ${names.length} ${of}${names.length === 1 ? "" : "s"}${stateCounts(rows)}</p>
${behind.length > 0 && table(behind, isOfMigrations ? "Databases that are behind" : "Databases that are not finished")}
${current.length > 0 && html`<details data-list${behind.length === 0 && html` open`}><summary>${current.length} ${isOfMigrations ? "up to date" : "finished"}</summary>${table(current, isOfMigrations ? "Databases that are up to date" : "Databases that are finished")}</details>`}
</section>`
}

const badStates: ReadonlySet<string> = new Set([
  "failed",
  "interrupted",
  "edited",
  "missing",
  "drifted",
  "unreadable",
  "cannot be applied",
])

function stateCounts(rows: readonly GridRow[]): string {
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
