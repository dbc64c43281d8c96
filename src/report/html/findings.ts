import type { Finding } from "../../check/finding.js"
import { placeOf } from "../check.js"
import { duration } from "../deploy.js"
import type { Item } from "../formats/report.js"
import { named } from "./history.js"
import { type Content, html, type Markup, prose } from "./markup.js"
import type { ShownMigration } from "./picture.js"

/** Where a finding stands in the page: the id of the migration, and the migration. */
interface Anchor {
  readonly id: string
  readonly migration: ShownMigration
}

/** What counts as what in words, and in colour. */
const severityOf = ({ severity }: Finding): { readonly tone: "bad" | "warn"; readonly word: string } =>
  severity === "error" ? { tone: "bad", word: "Failed" } : { tone: "warn", word: "Warning" }

const mostListed = 200

/** Every finding, errors first, with a link to its line. */
export function findingList(findings: readonly Finding[], anchorOf: (finding: Finding) => Anchor | undefined): Content {
  if (findings.length === 0) return undefined
  const sorted = findings.toSorted(
    (one, other) => Number(one.severity !== "error") - Number(other.severity !== "error"),
  )
  const left = sorted.length - mostListed
  return html`<section id="findings" aria-labelledby="h-findings">
<h2 id="h-findings">Look at this first</h2>
<ol class="findings">
${sorted.slice(0, mostListed).map((one, at) => item(one, { anchor: anchorOf(one), before: sorted[at - 1] }))}
</ol>
${left > 0 && html`<p class="muted">${left} more are not listed here.</p>`}
</section>`
}

interface Place {
  readonly anchor: Anchor | undefined
  readonly before: Finding | undefined
}

/** What is found in the statement of the finding before says no more than that. */
function item(finding: Finding, { anchor, before }: Place): Markup {
  const { tone, word } = severityOf(finding)
  const { said, sql, state } = linesOf(finding, anchor?.migration)
  const isSame = before !== undefined && before.file === finding.file && before.line === finding.line && sql.length > 0
  const statement = sql.length > 0 && !isSame && html`<p class="statement"><code>${cut(sql.join(" "))}</code></p>`
  return html`<li class="finding ${tone}"><div class="head"><span class="badge ${tone}">${word}</span> <b>${capital(finding.title)}</b> <code class="check">${finding.check}</code></div>
<p>${prose(said.join("\n"))}</p>${statement}${state !== undefined && html`<p class="next"><span class="label">State</span> ${prose(state)}</p>`}${before?.next !== finding.next && advice(finding)}${!isSame && place(finding, anchor)}</li>
`
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const longestStatement = 300
const cut = (text: string): string => (text.length > longestStatement ? `${text.slice(0, longestStatement)} …` : text)

function place(finding: Finding, anchor: Anchor | undefined): Content {
  if (anchor === undefined) {
    const text = placeOf(finding)
    return text !== "" && html`<p class="place"><code>${text}</code></p>`
  }
  const { id, migration } = anchor
  const { line } = finding
  const target = line === undefined ? id : `${id}-${line}`
  return html`<p class="place"><a href="#${target}">${named(migration.name)}${line !== undefined && `, line ${line}`}</a></p>`
}

const stateMark = "state: "

/** A message without the statement that it quotes and the database's state, and these. */
function linesOf({ message }: Finding, migration: ShownMigration | undefined) {
  const flat = migration?.sql.replaceAll(/\s+/g, " ") ?? ""
  const lines = message.split("\n")
  const isSql = (line: string, at: number) =>
    at > 0 && line.trim() !== "" && flat.includes(line.trim().replace(/;$/, ""))
  const isState = (line: string) => line.startsWith(stateMark)
  return {
    said: lines.filter((line, at) => !isSql(line, at) && !isState(line)),
    sql: lines.filter(isSql),
    state: lines.find(isState)?.slice(stateMark.length),
  }
}

/** What to do about it. */
function advice({ next }: Finding): Content {
  if (next === undefined) return undefined
  const safer = next.replace(/^safer: /, "")
  return html`<p class="next"><span class="label">${safer === next ? "Next" : "Safer"}</span> ${prose(safer)}</p>`
}

/** What stands beside a line, where the SQL is not repeated, and not what the note before it advises. */
export function notes(findings: readonly Finding[], migration: ShownMigration): Markup {
  const all = findings.map((finding, at) => {
    const { tone, word } = severityOf(finding)
    const { said } = linesOf(finding, migration)
    const isLast = findings[at + 1]?.next !== finding.next
    return html`<div class="note ${tone}" role="note"><span class="badge ${tone}">${word}</span> <code class="check">${finding.check}</code><p>${prose(said.join("\n"))}</p>${isLast && advice(finding)}</div>`
  })
  return html`${all}`
}

const states: Readonly<Record<Item["state"], { readonly word: string; readonly tone: string; readonly mark: string }>> =
  {
    failed: { word: "failed", tone: "bad", mark: "×" },
    warned: { word: "warned", tone: "warn", mark: "!" },
    passed: { word: "passed", tone: "good", mark: "✓" },
    skipped: { word: "skipped", tone: "info", mark: "–" },
  }

/** What was looked at beside the migrations: checks, assertions. */
export function checkList(items: readonly Item[]): Content {
  if (items.length === 0) return undefined
  const order: readonly Item["state"][] = ["failed", "warned", "skipped", "passed"]
  const sorted = items.toSorted((one, other) => order.indexOf(one.state) - order.indexOf(other.state))
  const accepted = items.flatMap((item) => item.accepted.map((one) => ({ ...one, name: item.name })))
  return html`<section id="checks" aria-labelledby="h-checks">
<h2 id="h-checks">Checks</h2>
<ul class="checks">${sorted.map(row)}</ul>
${accepted.length > 0 && html`<h3 id="h-accepted">Accepted by the files</h3><ul class="checks" aria-labelledby="h-accepted">${accepted.map(exception)}</ul>`}
</section>`
}

/** What an exception accepts, and its reason. */
const exception = ({ name, reason, finding }: Item["accepted"][number] & { readonly name: string }): Markup =>
  html`<li><span class="dot" aria-hidden="true">–</span><code>${name}</code><span class="state t-info">accepted</span><span class="why">${prose(reason)} <code class="where">${placeOf(finding)}</code></span></li>
`

function row({ name, state, skipped, durationMs, findings }: Item): Markup {
  const { word, tone, mark } = states[state]
  const count = findings.length > 1 ? `${findings.length} findings` : undefined
  return html`<li><span class="dot ${tone}" aria-hidden="true">${mark}</span><code>${name}</code><span class="state t-${tone}">${word}</span>${skipped !== undefined && html`<span class="why">${prose(skipped)}</span>`}${count !== undefined && html`<span class="why">${count}</span>`}${durationMs !== undefined && html`<span class="time">${duration(durationMs)}</span>`}</li>
`
}
