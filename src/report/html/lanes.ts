import { inLine } from "../../printable.js"
import { duration } from "../deploy.js"
import { type Content, html, type Markup } from "./markup.js"
import type { ShownLock, ShownMigration, ShownStatement } from "./picture.js"

/** What a migration does to one table, over its statements. */
interface Lane {
  readonly table: string
  readonly size: string | undefined
  readonly spans: readonly Span[]
}

/** A lock from a statement on, in percent of the migration. */
interface Span {
  readonly lock: ShownLock
  readonly line: number
  readonly from: number
  readonly to: number
  /** Where the statement itself ends, which is where its work ends. */
  readonly workTo: number
  /** How long it is held, in words; undefined where nothing was measured. */
  readonly lasts: string | undefined
}

/** More of one table's cannot be told apart. */
const mostSpans = 200

/** A table of the locks on existing tables: who waits for what, from which statement on and until when. */
export function lanes({ statements, scale, name }: ShownMigration): Markup | undefined {
  const steps = placed(statements)
  const found = lanesOf(steps, scale)
  if (found.length === 0) return undefined
  const axis =
    scale === "measured" ? "as long as each statement took" : "wider where a statement takes longer, not to scale"
  return html`<div class="lanes" role="region" aria-label="Locks of ${name}">
<table>
<caption>Who waits, and until when <span class="muted">${axis}</span></caption>
<thead><tr><th scope="col">Table</th><th scope="col" class="when"><span class="vh">Time</span>${ruler(steps)}</th><th scope="col">Waits</th></tr></thead>
<tbody>${found.map(lane)}</tbody>
</table>
</div>`
}

interface Step {
  readonly statement: ShownStatement
  readonly from: number
  readonly to: number
}

function placed(statements: readonly ShownStatement[]): readonly Step[] {
  const total = statements.reduce((sum, { width }) => sum + Math.max(width, 0), 0) || 1
  // However quick, a statement can be seen.
  const least = Math.min(2, 60 / Math.max(1, statements.length))
  const rest = 100 - least * statements.length
  let at = 0
  return statements.map((statement) => {
    const from = at
    at += least + (Math.max(statement.width, 0) / total) * rest
    return { statement, from, to: at }
  })
}

function lanesOf(steps: readonly Step[], scale: ShownMigration["scale"]): readonly Lane[] {
  const byTable = new Map<string, Span[]>()
  const total = steps.reduce((sum, { statement }) => sum + statement.width, 0)
  let before = 0
  for (const { statement, from, to } of steps) {
    for (const lock of statement.locks) {
      const end = lock.until === "end of migration" ? 100 : to
      const ms = lock.until === "end of migration" ? total - before : statement.width
      const lasts = scale === "measured" ? duration(ms) : undefined
      const spans = byTable.get(lock.table) ?? []
      if (spans.length < mostSpans) spans.push({ lock, line: statement.line, from, to: end, workTo: to, lasts })
      byTable.set(lock.table, spans)
    }
    before += statement.width
  }
  const found = [...byTable].map(
    ([table, spans]): Lane => ({ table, size: spans.find(({ lock }) => lock.size)?.lock.size, spans }),
  )
  return found.toSorted((one, other) => severity(other) - severity(one))
}

const ranks: Readonly<Record<ShownLock["waits"], number>> = {
  "readers and writers": 3,
  writers: 2,
  unknown: 1,
  nobody: 0,
}
const severity = ({ spans }: Lane): number => Math.max(...spans.map(({ lock }) => ranks[lock.waits]))

const number = (value: number): string => value.toFixed(2).replace(/\.?0+$/, "")

/** The statements' lines over the time, as many as there is room for. */
function ruler(steps: readonly Step[]): Markup {
  let free = 0
  const ticks = steps.flatMap(({ statement: { line }, from }) => {
    if (from < free) return []
    free = from + 9
    return [html`<text x="${number(from)}%" dx="3" y="11">${line}</text>`]
  })
  const marks =
    steps.length > 120
      ? []
      : steps.map(({ from }) => html`<line x1="${number(from)}%" x2="${number(from)}%" y1="2" y2="16"/>`)
  return html`<svg class="ruler" height="16" aria-hidden="true">${marks}${ticks}</svg>`
}

function lane({ table, size, spans }: Lane): Markup {
  const worst = spans.toSorted((one, other) => ranks[other.lock.waits] - ranks[one.lock.waits])[0]
  // Weaker ones first, so that the one that matters is on top.
  const drawn = spans.filter(isSeen).toSorted((one, other) => ranks[one.lock.waits] - ranks[other.lock.waits])
  return html`<tr><th scope="row"><code>${inLine(table)}</code>${size !== undefined && html`<span class="size">${size}</span>`}</th>
<td class="when"><svg class="bars" height="22" aria-hidden="true"><rect class="track" width="100%" height="22" rx="4"/>${drawn.map(bar)}</svg></td>
<td>${worst && sentence(worst)}${works(spans)}</td></tr>`
}

/** Not what only begins later than the same, and ends with it. */
function isSeen({ lock, to }: Span, at: number, spans: readonly Span[]): boolean {
  if (lock.work.length > 0) return true
  return !spans.slice(0, at).some((one) => one.lock.waits === lock.waits && one.to >= to)
}

function bar({ lock, from, to, workTo }: Span): Content {
  const kind = lock.waits.split(" ")[0] ?? ""
  const span = html`<rect class="w-${kind}" x="${number(from)}%" width="${number(to - from)}%" y="4" height="14" rx="3"/>`
  if (lock.work.length === 0) return span
  return [
    span,
    html`<rect class="w-${kind} work" x="${number(from)}%" width="${number(workTo - from)}%" y="1" height="20" rx="3"/>`,
  ]
}

const waiting: Readonly<Record<ShownLock["waits"], Markup>> = {
  "readers and writers": html`<b class="t-bad">Readers and writers wait</b>`,
  writers: html`<b class="t-warn">Writers wait</b>`,
  nobody: html`Nobody waits`,
  unknown: html`<b class="t-warn">Not known who waits</b>`,
}

/** Who waits for the strongest lock, since which line, and until when. */
function sentence({ lock, line, lasts }: Span): Markup {
  const span =
    lock.until === "end of migration" ? `from line ${line} to the end of the migration` : `while line ${line} runs`
  const long = lasts !== undefined && html`, <b>${lasts}</b>`
  return html`${waiting[lock.waits]}${lock.waits !== "nobody" && [` ${span}`, long]} <span class="lock">${lock.lock}</span>`
}

function works(spans: readonly Span[]): Content {
  const all = spans.flatMap(({ lock, line }) => lock.work.map((what) => `line ${line} ${what}`))
  const unique = [...new Set(all)]
  if (unique.length === 0) return undefined
  const more = unique.length > 3 ? `, and ${unique.length - 3} more` : ""
  return html`<span class="works">${unique.slice(0, 3).join("; ")}${more}</span>`
}
