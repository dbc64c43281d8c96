import { expect, test } from "vitest"
import type { CatalogObject } from "../../../src/postgres/catalog.js"
import { type Box, layout } from "../../../src/report/html/diagram/layout.js"
import { columnNames, diagramOf, lastOf, partsOf, typeText } from "../../../src/report/html/diagram/schema.js"
import { select } from "../../../src/report/html/diagram/selection.js"
import { catalog, laterCatalog } from "./example.js"

test("names and types are read as the catalog writes them", () => {
  expect(partsOf('public."a.b"."c""d"')).toEqual(["public", '"a.b"', '"c""d"'])
  expect(lastOf('public."a.b"."c""d"')).toBe('c"d')
  expect(lastOf("public.f(text, numeric)")).toBe("f(text, numeric)")
  expect(columnNames('FOREIGN KEY ("a)b", c) REFERENCES public.x(id)')).toEqual(["a)b", "c"])
  expect(typeText("timestamp(3) without time zone NOT NULL DEFAULT CURRENT_TIMESTAMP")).toBe("timestamp(3)")
  expect(typeText('public."Order Status"')).toBe("Order Status?")
})

test("what changed is told apart: tables, columns, keys and other objects", () => {
  const { tables, references, others } = diagramOf({ before: catalog, after: laterCatalog })
  expect(tables.map(({ name, change }) => [name, change])).toEqual([
    ["User", "changed"],
    ["Order", "same"],
    ["note", "added"],
  ])
  expect(tables[0]?.columns).toMatchObject([
    { name: "id", key: "primary", change: "same" },
    { name: "name", change: "changed", was: "varchar(80)?", type: "text" },
  ])
  expect(references.map(({ from, column, to, change }) => [from, column, to, change])).toEqual([
    ['public."Order"', "userId", 'public."User"', "same"],
    ["public.note", "order_id", 'public."Order"', "added"],
  ])
  expect(others).toMatchObject([{ kind: "enum", name: "Status", change: "changed" }])
  const [gone] = diagramOf({ before: laterCatalog, after: catalog }).tables.filter(({ name }) => name === "note")
  expect(gone?.change).toBe("removed")
})

/** A hub to which every other table refers, each of which refers to the one before as well. */
function wide(count: number): readonly CatalogObject[] {
  const object = (kind: CatalogObject["kind"], name: string, definition = "") => ({
    kind,
    name,
    definition,
    create: "",
    drop: "",
  })
  const names = Array.from({ length: count }, (_, at) => `t${at}`)
  return names.flatMap((name, at) => [
    object("table", `public.${name}`),
    object("column", `public.${name}.id`, "bigint NOT NULL"),
    ...Array.from({ length: 30 }, (_, column) => object("column", `public.${name}.c${column}`, "text")),
    object("constraint", `public.${name}.k`, "PRIMARY KEY (id)"),
    ...(at === 0 ? [] : [object("constraint", `public.${name}.f`, `FOREIGN KEY (c0) REFERENCES public.t0(id)`)]),
    ...(at === 0
      ? []
      : [object("constraint", `public.${name}.g`, `FOREIGN KEY (c1) REFERENCES public.t${at - 1}(id)`)]),
  ])
}

test("of a large schema what changes is drawn, with its neighbours, of which the keys are enough", () => {
  const before = wide(200)
  const after = before.map((one) => (one.name === "public.t100.c7" ? { ...one, definition: "integer" } : one))
  const { tables, total } = select(diagramOf({ before, after }))
  expect(total).toBe(200)
  expect(tables.map(({ name }) => name).toSorted()).toEqual(["t0", "t100", "t101", "t99"])
  const [changed, hub] = ["t100", "t0"].map((name) => tables.find((one) => one.name === name))
  expect(changed?.shown.map(({ name }) => name)).toContain("c7")
  expect(hub).toMatchObject({ shown: [{ name: "id" }], left: 30 })
})

test("no table covers another, and every foreign key reaches both of its tables", () => {
  const { boxes, lines } = layout(select(diagramOf({ before: wide(14), after: wide(14) })))
  const overlaps = (one: Box, other: Box) =>
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  const pairs = boxes.flatMap((one, at) => boxes.slice(at + 1).filter((other) => overlaps(one, other)))
  expect(pairs).toEqual([])
  expect(boxes).toHaveLength(14)
  expect(lines).toHaveLength(26)
  const sides = (id: string) => {
    const box = boxes.find(({ table }) => table.id === id)
    return box === undefined ? [] : [box.x, box.x + box.width]
  }
  for (const { reference, points } of lines) {
    expect(sides(reference.to)).toContain(points[0]?.x)
    expect(sides(reference.from)).toContain(points.at(-1)?.x)
  }
})
