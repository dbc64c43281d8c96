import { layout as dagreLayout, Graph } from "@dagrejs/dagre"
import type { Reference } from "./schema.js"
import type { DrawnTable, Selection } from "./selection.js"

/** A table with its place, in pixels. */
export interface Box {
  readonly table: DrawnTable
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A foreign key from the referenced table's edge to its column's. */
export interface Line {
  readonly reference: Reference
  readonly points: readonly Point[]
}

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Drawing {
  readonly boxes: readonly Box[]
  readonly lines: readonly Line[]
  readonly width: number
  readonly height: number
}

export const metrics = { row: 21, head: 30, character: 7.3, padding: 12, mark: 20 } as const
const gap = 26
/** What is connected to nothing stands in rows of about this width. */
const rowWidth = 1080

/** Places referenced tables left of those that refer to them; what is connected to nothing stands below. */
export function layout({ tables, references }: Selection): Drawing {
  const links = references.filter(({ from, to }) => from !== to)
  const connected = new Set(links.flatMap(({ from, to }) => [from, to]))
  const graph = new Graph({ multigraph: true })
  graph.setGraph({
    rankdir: "LR",
    nodesep: gap,
    ranksep: 64,
    edgesep: 14,
    marginx: 8,
    marginy: 8,
    ranker: "network-simplex",
  })
  for (const table of tables) if (connected.has(table.id)) graph.setNode(table.id, sizeOf(table))
  for (const [at, { from, to }] of links.entries()) graph.setEdge(to, from, {}, String(at))
  if (connected.size > 0) dagreLayout(graph)
  const boxes = tables.flatMap((table): readonly Box[] => {
    if (!connected.has(table.id)) return []
    const { x = 0, y = 0 } = graph.node(table.id)
    const { width, height } = sizeOf(table)
    return [{ table, width, height, x: x - width / 2, y: y - height / 2 }]
  })
  const all = [
    ...boxes,
    ...inRows(
      tables.filter(({ id }) => !connected.has(id)),
      bottomOf(boxes),
    ),
  ]
  const byId = new Map(all.map((box) => [box.table.id, box]))
  const lines = references.flatMap((reference): readonly Line[] => {
    const at = links.indexOf(reference)
    const between = at < 0 ? [] : (graph.edge(reference.to, reference.from, String(at))?.points ?? [])
    const [parent, child] = [byId.get(reference.to), byId.get(reference.from)]
    return parent && child ? [{ reference, points: route(parent, child, { reference, between }) }] : []
  })
  const points = lines.flatMap((line) => line.points)
  const right = Math.max(0, ...all.map(({ x, width }) => x + width), ...points.map(({ x }) => x))
  const bottom = Math.max(bottomOf(all), ...points.map(({ y }) => y))
  return { boxes: all, lines, width: right + 10, height: bottom + 10 }
}

function sizeOf({ name, shown, left }: DrawnTable): { readonly width: number; readonly height: number } {
  const { character, padding, mark, row, head } = metrics
  const texts = shown.map((one) => one.name.length + typeOf(one).length + 3)
  const longest = Math.max(14, name.length + 4, ...texts)
  const width = Math.min(400, Math.ceil(longest * character + padding * 2 + mark))
  return { width, height: head + (shown.length + (left > 0 ? 1 : 0)) * row + 8 }
}

/** Both types, where a column's changes. */
export const typeOf = ({ type, was }: { readonly type: string; readonly was: string | undefined }): string =>
  was === undefined ? type : `${was} → ${type}`

const bottomOf = (boxes: readonly Box[]): number => Math.max(0, ...boxes.map(({ y, height }) => y + height))

function inRows(tables: readonly DrawnTable[], below: number): readonly Box[] {
  const boxes: Box[] = []
  let [x, y, tallest] = [8, below === 0 ? 8 : below + gap * 1.5, 0]
  for (const table of tables) {
    const { width, height } = sizeOf(table)
    if (x > 8 && x + width > rowWidth) [x, y, tallest] = [8, y + tallest + gap, 0]
    boxes.push({ table, x, y, width, height })
    x += width + gap
    tallest = Math.max(tallest, height)
  }
  return boxes
}

interface Route {
  readonly reference: Reference
  readonly between: readonly Point[]
}

/** From the side of the referenced table's key to the side of the referring column. */
function route(parent: Box, child: Box, { reference, between }: Route): readonly Point[] {
  const [from, to] = [rowOf(parent, undefined), rowOf(child, reference.column)]
  const [left, right] = [(box: Box) => box.x, (box: Box) => box.x + box.width]
  if (parent === child) {
    const out = right(parent) + 22
    return [
      { x: right(parent), y: from },
      { x: out, y: from },
      { x: out, y: to },
      { x: right(child), y: to },
    ]
  }
  // Long ways go around the tables between; dagre puts a point in the middle of short ones as well.
  const middle = between.length > 3 ? between.slice(1, -1) : []
  if (right(parent) <= left(child)) return [{ x: right(parent), y: from }, ...middle, { x: left(child), y: to }]
  if (right(child) <= left(parent)) return [{ x: left(parent), y: from }, ...middle, { x: right(child), y: to }]
  const out = Math.max(right(parent), right(child)) + 30
  return [
    { x: right(parent), y: from },
    { x: out, y: (from + to) / 2 },
    { x: right(child), y: to },
  ]
}

/** The middle of a column's row; of the key's, or of the head, where no column is named. */
function rowOf({ table, y }: Box, column: string | undefined): number {
  const at = table.shown.findIndex(({ name, key }) => (column === undefined ? key === "primary" : name === column))
  return at < 0 ? y + metrics.head / 2 : y + metrics.head + 4 + (at + 0.5) * metrics.row
}
