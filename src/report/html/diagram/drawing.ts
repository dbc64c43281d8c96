import { type Content, html, type Markup } from "../markup.js"
import { type Box, type Drawing, type Line, metrics, type Point, typeOf } from "./layout.js"
import type { Change, Column } from "./schema.js"

const classes: Readonly<Record<Change, string>> = { same: "", added: "add", removed: "del", changed: "chg" }
/** So that no change is shown by its colour alone. */
const marks: Readonly<Record<Change, string>> = { same: "", added: "+", removed: "−", changed: "~" }

const round = (value: number): string => value.toFixed(1).replace(/\.0$/, "")

/** Up to here it is made smaller to fit; what is wider is scrolled. */
const widest = 1560

/** The diagram as SVG; what it says is in `label` and in the list below it. */
export function draw({ boxes, lines, width, height }: Drawing, label: string): Markup {
  const size = `0 0 ${round(width)} ${round(height)}`
  const fits = width <= widest && html` class="fit"`
  return html`<svg${fits} viewBox="${size}" width="${round(width)}" height="${round(height)}" role="img" aria-label="${label}">
${lines.map(edge)}
${boxes.map(box)}
</svg>`
}

function edge({ reference, points }: Line): Markup {
  return html`<path class="ref ${classes[reference.change]}" d="${curve(points)}${foot(points)}"/>`
}

/** Leaves and arrives level, and goes through the points between level as well. */
function curve(points: readonly Point[]): string {
  const [first, ...others] = points
  if (first === undefined) return ""
  let from = first
  const parts = others.map((to) => {
    const middle = (from.x + to.x) / 2
    const flat = from.x === to.x
    const part = flat
      ? `L${round(to.x)} ${round(to.y)}`
      : `C${round(middle)} ${round(from.y)} ${round(middle)} ${round(to.y)} ${round(to.x)} ${round(to.y)}`
    from = to
    return part
  })
  return `M${round(first.x)} ${round(first.y)}${parts.join("")}`
}

/** The crow's foot at the side of many. */
function foot(points: readonly Point[]): string {
  const [before, end] = points.slice(-2)
  if (before === undefined || end === undefined) return ""
  const back = before.x < end.x ? -9 : 9
  const [x, tip] = [round(end.x), round(end.x + back)]
  return `M${x} ${round(end.y - 5)}L${tip} ${round(end.y)}L${x} ${round(end.y + 5)}`
}

function box({ table, x, y, width, height }: Box): Markup {
  const { head, row, padding } = metrics
  const mark = marks[table.change]
  const room = Math.floor((width - padding * 2) / metrics.character)
  const more =
    table.left > 0 &&
    html`<text class="more" x="${padding + 16}" y="${head + 4 + (table.shown.length + 0.5) * row + 4}">${table.left} more</text>`
  return html`<g class="table ${classes[table.change]}" transform="translate(${round(x)} ${round(y)})"><rect class="card" width="${width}" height="${height}" rx="7"/><path class="headline" d="M0 ${head}V7a7 7 0 0 1 7 -7H${width - 7}a7 7 0 0 1 7 7V${head}z"/><text class="title" x="${padding}" y="20">${mark !== "" && `${mark} `}${cut(table.name, room - 2)}</text>${table.shown.map((one, at) => columnRow(one, { at, width, room }))}${more}</g>
`
}

interface Row {
  readonly at: number
  readonly width: number
  /** Characters. */
  readonly room: number
}

function columnRow(column: Column, { at, width, room }: Row): Markup {
  const { name, change, key, type, was } = column
  const { head, row, padding, mark } = metrics
  const top = head + 4 + at * row
  const base = round(top + row / 2 + 4)
  const signed =
    change === "same"
      ? undefined
      : html`<rect class="tint" x="1" y="${round(top)}" width="${width - 2}" height="${row}"/><text class="sign" x="${padding - 3}" y="${base}">${marks[change]}</text>`
  const keyMark =
    key !== undefined &&
    change === "same" &&
    html`<text class="key" x="${padding - 3}" y="${base}">${key === "primary" ? "●" : "○"}</text>`
  const typed = (text: string, view: string): Content =>
    html`<text class="type${view}" x="${width - padding}" y="${base}" text-anchor="end">${cut(text, room - name.length - 3)}</text>`
  const types =
    was === undefined ? typed(type, "") : [typed(typeOf(column), " v-u"), typed(was, " v-b"), typed(type, " v-a")]
  return html`<g class="col ${classes[change]}">${signed}${keyMark}<text class="cname" x="${padding + mark - 8}" y="${base}">${cut(name, room - 4)}</text>${types}</g>`
}

const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text
