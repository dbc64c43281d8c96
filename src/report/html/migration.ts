import type { Finding } from "../../check/finding.js"
import { notes as notesOf } from "./findings.js"
import { named, states, time as timestamp } from "./history.js"
import { lanes } from "./lanes.js"
import { type Content, html, type Markup } from "./markup.js"
import type { HistoryEntry, ShownMigration, ShownStatement } from "./picture.js"
import { type HighlightedSql, highlight } from "./sql.js"

/** A migration to render, what is found in it, and its id in the page. */
export interface Chapter {
  readonly migration: ShownMigration
  readonly findings: readonly Finding[]
  readonly id: string
  readonly entry: HistoryEntry | undefined
  /** Among many, only what something is found in is unfolded. */
  readonly isOneOfMany: boolean
}

/** Longer files are cut: nobody reads a hundred thousand rows in a report. */
const mostLines = 600
const longestLine = 400
/** What is longer is folded, unless something is found in it. */
const mostOpen = 150

/** A migration: who waits, then the SQL with each finding beside its line. */
export async function migrationSection({ migration, findings, id, entry, isOneOfMany }: Chapter): Promise<Markup> {
  const sql = await highlight(cutLines(migration.sql))
  const own = findings.filter(({ line }) => line === undefined)
  const isShort = !isOneOfMany && sql.lines.length <= mostOpen
  const open = findings.length > 0 || migration.state === "failed" || (migration.state === "pending" && isShort)
  return html`<article class="migration" id="${id}" aria-labelledby="h-${id}">
<header><h3 id="h-${id}">${named(migration.name)}</h3>
<p class="traits"><span class="badge s-${migration.state}">${states[migration.state].word}</span>${migration.traits.map((trait) => html`<span class="trait">${trait}</span>`)}${timestamp(entry?.at)}</p></header>
${own.length > 0 && html`<div class="notes">${notesOf(own, migration)}</div>`}
${lanes(migration)}
<details class="source"${open && html` open`}><summary>SQL <span class="muted">${migration.file}</span></summary>
${segments({ sql, migration, findings, id })}
</details>
</article>
`
}

interface Listing {
  readonly sql: HighlightedSql
  readonly migration: ShownMigration
  readonly findings: readonly Finding[]
  readonly id: string
}

/** The SQL in parts: each finding, and what was measured, stands beside the statement that it is about. */
function segments({ sql, migration, findings, id }: Listing): Content {
  const parts = partsOf(sql, migration, findings)
  const hasNotes = parts.some(({ notes }) => notes.length > 0)
  const isTimed = parts.some(({ measured }) => measured !== undefined)
  return html`<div class="code${hasNotes ? " noted" : isTimed && " timed"}">${parts.map(
    ({ from, to, notes, measured }) => {
      const hits = new Set(notes.map(({ line }) => line))
      const lines = sql.lines.slice(from - 1, to).map((line, at) => {
        const number = from + at
        return hits.has(number) ? html`<li class="hit" id="${id}-${number}">${line}\n` : html`<li>${line}\n`
      })
      const beside = html`<div class="notes">${measured && measurement(measured)}${notesOf(notes, migration)}</div>`
      return html`<ol class="sql" start="${from}">${lines}</ol>${(notes.length > 0 || measured !== undefined) && beside}`
    },
  )}</div>`
}

const measurement = ({ time, rows }: ShownStatement): Markup =>
  html`<p class="measured"><b>${time}</b>${rows.map((one) => html`<span>${one}</span>`)}</p>`

interface Part {
  readonly from: number
  readonly to: number
  readonly notes: readonly Finding[]
  readonly measured: ShownStatement | undefined
}

/** What belongs beside one statement. */
interface Beside {
  readonly to: number
  readonly notes: readonly Finding[]
  readonly measured: ShownStatement | undefined
}

function partsOf(sql: HighlightedSql, { statements }: ShownMigration, findings: readonly Finding[]): readonly Part[] {
  const last = sql.lines.length - (sql.lines.length > 1 && sql.lines.at(-1)?.text === "" ? 1 : 0)
  const starts = statements.map(({ line }) => line)
  const endOf = (line: number): number => {
    if (starts.length === 0) return line
    return Math.max(line, sql.codeBefore(starts.find((start) => start > line) ?? last + 1))
  }
  const beside = new Map<number, Beside>()
  for (const measured of statements.slice(0, mostMeasured)) {
    const { line, time } = measured
    if (time !== undefined && line <= last) beside.set(line, { to: endOf(line), notes: [], measured })
  }
  for (const finding of findings) {
    if (finding.line === undefined) continue
    const line = Math.min(finding.line, last)
    const from = starts.findLast((start) => start <= line) ?? line
    const known = beside.get(from) ?? { to: line, notes: [], measured: undefined }
    const notes = [...known.notes, { ...finding, line }]
    beside.set(from, { ...known, to: Math.max(known.to, endOf(line)), notes })
  }
  const parts: Part[] = []
  let next = 1
  const rest = (to: number) => parts.push({ from: next, to, notes: [], measured: undefined })
  for (const [start, { to, ...what }] of [...beside].toSorted(([one], [other]) => one - other)) {
    const from = Math.max(start, next)
    if (from > next) rest(from - 1)
    parts.push({ from, to, ...what })
    next = Math.max(next, to + 1)
  }
  if (next <= last) rest(last)
  return parts
}

/** Of a file with thousands of INSERTs nobody reads the time of each. */
const mostMeasured = 200

function cutLines(sql: string): string {
  const lines = sql.split("\n").map((line) => (line.length > longestLine ? `${line.slice(0, longestLine)} …` : line))
  if (lines.length <= mostLines) return lines.join("\n")
  return [...lines.slice(0, mostLines), `-- ${lines.length - mostLines} more lines are in the file.`].join("\n")
}
