import type { Finding } from "../../check/finding.js"
import { placeOf } from "../check.js"
import { named } from "./history.js"
import { type Content, html, type Markup, prose } from "./markup.js"
import type { ShownMigration } from "./picture.js"

/** Where a finding stands in the page: the id of the migration, and the migration. */
export interface Anchor {
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
