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
