import { type CatalogObject, catalogLine } from "../../../postgres/catalog.js"
import type { SchemaChange } from "../picture.js"

/** What becomes of an object between before and after. */
export type Change = "same" | "added" | "removed" | "changed"

/** A table of the diagram: everything that is before or after. */
export interface Table {
  /** Qualified and quoted, as the catalog names it. */
  readonly id: string
  readonly name: string
  readonly change: Change
  readonly columns: readonly Column[]
  /** What is new, gone or different about it, one line each. */
  readonly changes: readonly ObjectChange[]
}

export interface Column {
  readonly name: string
  readonly change: Change
  /** As it is after, or was where it is gone; nullable ones end in a question mark. */
  readonly type: string
  /** Where the type is another one than before. */
  readonly was: string | undefined
  readonly key: "primary" | "foreign" | undefined
}

/** A foreign key. */
export interface Reference {
  readonly from: string
  readonly column: string
  readonly to: string
  readonly change: Change
}

/** A change of an object, for the list beside the diagram. */
export interface ObjectChange {
  readonly kind: string
  readonly name: string
  readonly change: Exclude<Change, "same">
  readonly before: string
  readonly after: string
}

export interface Diagram {
  readonly tables: readonly Table[]
  readonly references: readonly Reference[]
  /** Of what belongs to no table: enums, views, functions. */
  readonly others: readonly ObjectChange[]
}

interface Pair {
  readonly kind: CatalogObject["kind"]
  readonly name: string
  readonly before: CatalogObject | undefined
  readonly after: CatalogObject | undefined
  readonly change: Change
}

/** Both catalogs as one diagram. Partitions are their table's. */
export function diagramOf({ before, after }: SchemaChange): Diagram {
  const pairs = paired(before, after)
  const tables = pairs.filter(({ kind, before, after }) => kind === "table" && !isPartition(after ?? before))
  const ids = new Set(tables.map(({ name }) => name))
  const owned = new Map<string, Pair[]>()
  const others: ObjectChange[] = []
  for (const pair of pairs) {
    const owner = ownerOf(pair)
    if (pair.kind !== "table" && owner !== undefined && ids.has(owner))
      owned.set(owner, [...(owned.get(owner) ?? []), pair])
    else if (pair.kind !== "table" && !isOfPartition(owner, pairs)) others.push(...changeOf(pair))
  }
  const shown = tables.map((table) => tableOf(table, owned.get(table.name) ?? []))
  const references = [...owned.values()].flatMap((parts) => parts.flatMap(referenceOf)).filter(({ to }) => ids.has(to))
  return { tables: shown, references, others }
}

function paired(before: readonly CatalogObject[], after: readonly CatalogObject[]): readonly Pair[] {
  const key = ({ kind, name }: CatalogObject) => `${kind} ${name}`
  const [was, is] = [before, after].map((all) => new Map(all.map((one) => [key(one), one])))
  const all = [...before, ...after.filter((one) => !was?.has(key(one)))]
  return all.map((object): Pair => {
    const [first, second] = [was?.get(key(object)), is?.get(key(object))]
    const { kind, name } = object
    return { kind, name, before: first, after: second, change: between(first, second) }
  })
}

function between(before: CatalogObject | undefined, after: CatalogObject | undefined): Change {
  if (before === undefined) return "added"
  if (after === undefined) return "removed"
  return catalogLine(before) === catalogLine(after) ? "same" : "changed"
}

const isPartition = (table: CatalogObject | undefined): boolean => table?.definition.includes("PARTITION OF ") ?? false

const isOfPartition = (owner: string | undefined, pairs: readonly Pair[]): boolean =>
  owner !== undefined && pairs.some(({ kind, name }) => kind === "table" && name === owner)

/** The table that something belongs to. */
function ownerOf({ kind, name, before, after }: Pair): string | undefined {
  if (kind === "index")
    return / ON (?:ONLY )?((?:"(?:[^"]|"")+"|[\w$]+)\.(?:"(?:[^"]|"")+"|[\w$]+)) /.exec(
      (after ?? before)?.definition ?? "",
    )?.[1]
  if (kind === "column" || kind === "constraint" || kind === "trigger" || kind === "policy" || kind === "rule")
    return partsOf(name).slice(0, 2).join(".")
  return undefined
}

function tableOf(table: Pair, parts: readonly Pair[]): Table {
  const primary = keyColumns(parts, "PRIMARY KEY")
  const foreign = keyColumns(parts, "FOREIGN KEY")
  const columns = parts.flatMap((part): readonly Column[] => {
    if (part.kind !== "column") return []
    const name = lastOf(part.name)
    const [was, is] = [part.before, part.after].map((one) => one && typeText(one.definition))
    const key = primary.has(name) ? "primary" : foreign.has(name) ? "foreign" : undefined
    return [
      { name, change: part.change, type: is ?? was ?? "", was: was !== is && is !== undefined ? was : undefined, key },
    ]
  })
  const rank = ({ key }: Column) => (key === "primary" ? 0 : key === "foreign" ? 1 : 2)
  const isWhole = table.change === "added" || table.change === "removed"
  const changes = isWhole ? [] : [...changeOf(table), ...parts.flatMap(changeOf)]
  return {
    id: table.name,
    name: lastOf(table.name),
    change: isWhole ? table.change : changes.length > 0 ? "changed" : "same",
    // The mark of the whole table says it already.
    columns: columns
      .map((one) => (isWhole ? { ...one, change: "same" as const, was: undefined } : one))
      .toSorted((one, other) => rank(one) - rank(other)),
    changes,
  }
}

function keyColumns(parts: readonly Pair[], kind: string): ReadonlySet<string> {
  const keys = parts.filter(
    (part) => part.kind === "constraint" && (part.after ?? part.before)?.definition.startsWith(kind),
  )
  return new Set(keys.flatMap((part) => columnNames((part.after ?? part.before)?.definition ?? "")))
}

function referenceOf(part: Pair): readonly Reference[] {
  const definition = (part.after ?? part.before)?.definition ?? ""
  const to = /^FOREIGN KEY \(.+?\) REFERENCES ((?:"(?:[^"]|"")+"|[\w$]+)\.(?:"(?:[^"]|"")+"|[\w$]+))\(/.exec(
    definition,
  )?.[1]
  const [column] = columnNames(definition)
  if (part.kind !== "constraint" || to === undefined || column === undefined) return []
  return [{ from: partsOf(part.name).slice(0, 2).join("."), column, to, change: part.change }]
}

function changeOf({ kind, name, before, after, change }: Pair): readonly ObjectChange[] {
  if (change === "same") return []
  const text = (object: CatalogObject | undefined) => object?.definition.replaceAll(/\s+/g, " ").trim() ?? ""
  return [{ kind, name: lastOf(name), change, before: text(before), after: text(after) }]
}

/** The parts of a qualified name, each as it is written: `public."a.b".c` has three. */
export const partsOf = (name: string): readonly string[] => name.match(/"(?:[^"]|"")+"|[^."]+/g) ?? [name]

/** The last part, without its quotes. A function keeps its arguments. */
export function lastOf(name: string): string {
  const [, head = name, args = ""] = /^((?:"(?:[^"]|"")+"|[^("])+)(\(.*\))?$/s.exec(name) ?? []
  return unquoted(partsOf(head).at(-1) ?? head) + args
}

const unquoted = (part: string): string => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part)

/** The columns of a constraint: those in its first parentheses. */
export function columnNames(definition: string): readonly string[] {
  const list = /\(((?:"(?:[^"]|"")+"|[^)"])+)\)/.exec(definition)?.[1] ?? ""
  return (list.match(/"(?:[^"]|"")+"|[^,"\s]+/g) ?? []).map(unquoted)
}

const shorter: readonly (readonly [RegExp, string])[] = [
  [/^character varying/, "varchar"],
  [/^character(?=\(|$)/, "char"],
  [/^timestamp(\(\d\))? without time zone/, "timestamp$1"],
  [/^timestamp(\(\d\))? with time zone/, "timestamptz$1"],
  [/^double precision/, "float8"],
  [/^boolean/, "bool"],
  [/^integer/, "int"],
]

/** A column's type as there is room for it: the usual short names, without the schema; a question mark where it may be null. */
export function typeText(definition: string): string {
  const isNullable = !/ NOT NULL\b/.test(definition)
  const [type = ""] = definition.split(/ (?:COLLATE|NOT NULL|DEFAULT|GENERATED) ?/)
  const bare = type.replace(/^(?:"(?:[^"]|"")+"|[\w$]+)\.(?=["\w])/, "").replaceAll('"', "")
  const short = shorter.reduce((text, [long, words]) => text.replace(long, words), bare)
  return isNullable ? `${short}?` : short
}
