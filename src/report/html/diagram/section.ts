import { type Content, html, type Markup } from "../markup.js"
import type { SchemaChange } from "../picture.js"
import { draw } from "./drawing.js"
import { layout } from "./layout.js"
import { type Change, type Diagram, diagramOf, type ObjectChange, type Table } from "./schema.js"
import { type Selection, select } from "./selection.js"

/** The schema before and after as a diagram, and every change in words. */
export function schemaSection(schema: SchemaChange): Content {
  const diagram = diagramOf(schema)
  if (diagram.tables.length === 0 && diagram.others.length === 0) return undefined
  const selection = select(diagram)
  const changed = diagram.tables.filter(({ change }) => change !== "same")
  const summary = summaryOf(diagram)
  return html`<section id="schema" class="schema" aria-labelledby="h-schema">
<h2 id="h-schema">Schema</h2>
<p class="lead">${summary}${drawn(selection, changed.length)}</p>
${selection.tables.length > 0 && picture(selection, summary)}
${changeList(changed, diagram.others)}
</section>`
}

/** What of a large schema is drawn. */
function drawn({ tables, total }: Selection, changed: number): string {
  if (tables.length === total || tables.length === 0) return ""
  const which = tables.length < changed ? "the first of those that change" : "those that change and their neighbours"
  return ` Drawn: ${tables.length} of ${total} tables, ${which}.`
}

function summaryOf({ tables, others }: Diagram): string {
  const count = (change: Change) => tables.filter((one) => one.change === change).length
  const parts = (["added", "changed", "removed"] as const).flatMap((change) => {
    const tables = count(change)
    return tables === 0 ? [] : [`${tables} ${tables === 1 ? "table is" : "tables are"} ${change}`]
  })
  const other =
    others.length === 0 ? [] : [`${others.length} other ${others.length === 1 ? "object changes" : "objects change"}`]
  const all = [...parts, ...other]
  return all.length === 0 ? "The schema stays as it is." : `${all.join(", ")}.`
}

const views = [
  ["union", "Changes"],
  ["before", "Before"],
  ["after", "After"],
] as const

function picture(selection: Selection, summary: string): Markup {
  const drawing = layout(selection)
  const isChanged = selection.tables.some(({ change }) => change !== "same")
  const choice = views.map(
    ([id, label], at) =>
      html`<label><input type="radio" name="view" id="v-${id}"${at === 0 && html` checked`}><span>${label}</span></label>`,
  )
  return html`<div class="views">${isChanged && html`<fieldset><legend class="vh">What the diagram shows</legend>${choice}</fieldset>`}<ul class="legend">${isChanged && html`<li class="add">+ added</li><li class="chg">~ changed</li><li class="del">− removed</li>`}<li>● primary key</li><li>○ foreign key</li></ul></div>
<div class="diagram" tabindex="0" role="region" aria-label="Entity diagram">${draw(drawing, `Entity diagram. ${summary} Every change is listed below.`)}</div>`
}

const mostListed = 60

function changeList(tables: readonly Table[], others: readonly ObjectChange[]): Content {
  if (tables.length === 0 && others.length === 0) return undefined
  const left = tables.length - mostListed
  return html`<ul class="changes">
${tables.slice(0, mostListed).map(tableItem)}
${left > 0 && html`<li class="muted">${left} more tables</li>`}
${others.length > 0 && html`<li><b>Other objects</b><ul>${others.slice(0, mostListed).map(line)}${others.length > mostListed && html`<li class="muted">${others.length - mostListed} more</li>`}</ul></li>`}
</ul>`
}

const signs: Readonly<Record<Change, string>> = { same: "", added: "+", removed: "−", changed: "~" }
const tones: Readonly<Record<Change, string>> = { same: "", added: "add", removed: "del", changed: "chg" }

function tableItem({ name, change, changes, columns }: Table): Markup {
  const whole = change === "added" || change === "removed"
  return html`<li><span class="mark ${tones[change]}">${signs[change]}</span> <code>${name}</code> <span class="muted">${change}${whole && `, ${columns.length} ${columns.length === 1 ? "column" : "columns"}`}</span>${changes.length > 0 && html`<ul>${changes.map(line)}</ul>`}</li>
`
}

function line({ kind, name, change, before, after }: ObjectChange): Markup {
  const [was, is] = [detail(kind, before), detail(kind, after)]
  const text =
    change === "changed" && was !== is ? `${was || "(nothing)"} → ${is || "(nothing)"}` : change === "removed" ? "" : is
  return html`<li><span class="mark ${tones[change]}">${signs[change]}</span> <span class="kind">${kind}</span> <code>${name}</code> <span class="muted detail">${text}</span></li>`
}

const longest = 160

/** What matters of a definition where there is little room; the SQL above has the rest. */
function detail(kind: string, definition: string): string {
  const text = details[kind]?.(definition) ?? definition
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text
}

const details: Readonly<Record<string, (definition: string) => string>> = {
  index: (text) => text.replace(/^CREATE (UNIQUE )?INDEX .*? USING /, "$1"),
  trigger: (text) => text.replace(/^.*?(BEFORE|AFTER|INSTEAD OF) (.*?) ON .*$/, "$1 $2"),
  view: () => "",
  "materialized view": () => "",
  function: () => "",
  sequence: () => "",
}
