import type { Column, EnumType, Qualified, Structure, Table } from "../../postgres/structure.js"
import type { Rename } from "./rename.js"

/** What one structure has and another has not, and which of the new things it may be under another name. */
export interface Gone {
  readonly kind: "enum" | "table" | "column" | "enum value"
  readonly schema: string
  /** The table of a column, the enum of a value. */
  readonly parent: string | undefined
  readonly name: string
  /** Everything new of that kind at that place: what a person may name. */
  readonly fresh: readonly string[]
  /** Those that look like it, the best first: what a person is asked. */
  readonly candidates: readonly string[]
}

/** In this order each kind sees the renames of the kinds before. */
export const stages = ["enum", "table", "column", "enum value"] as const

/** What is gone of a kind from one structure to the other. */
export function gone(kind: Gone["kind"], from: Structure, to: Structure): readonly Gone[] {
  switch (kind) {
    case "enum":
      return compared({ kind, parent: undefined }, [from.enums, to.enums], enumLikeness)
    case "table":
      return compared({ kind, parent: undefined }, [from.tables, to.tables], tableLikeness)
    case "column":
      return pairs(from.tables, to.tables).flatMap(([one, other]) => {
        const inSchema = (columns: readonly Column[]) => columns.map((column) => ({ ...column, schema: one.schema }))
        return compared({ kind, parent: one.name }, [inSchema(one.columns), inSchema(other.columns)], columnLikeness)
      })
    case "enum value":
      return pairs(from.enums, to.enums).flatMap(([one, other]) => {
        const inSchema = ({ values }: EnumType) => values.map((value) => ({ ...value, schema: one.schema }))
        return compared({ kind, parent: one.name }, [inSchema(one), inSchema(other)], () => 1)
      })
  }
}

/** A gone thing as the rename to a new one. */
export function asRename({ kind, schema, parent = "", name: from }: Gone, to: string): Rename {
  switch (kind) {
    case "column":
      return { kind, schema, table: parent, from, to }
    case "enum value":
      return { kind, schema, enum: parent, from, to }
    default:
      return { kind, schema, from, to }
  }
}

/**
 * Of a table between two models (Prisma's implicit many-to-many relation), which has the columns A and B in the order of
 * the models' names: the renames that exchange them where the models' new names sort the other way.
 */
export function exchanged(before: Table, after: Table): readonly Rename[] {
  const [a, b] = before.columns
  const [newA, newB] = after.columns
  if (!isBetweenModels(before) || !isBetweenModels(after) || !a || !b || !newA || !newB) return []
  const crossed = same(a.references, newB.references) && same(b.references, newA.references)
  if (!crossed || same(a.references, b.references)) return []
  const { schema, name: table } = after
  return [
    { kind: "column", schema, table, from: a.name, to: b.name },
    { kind: "column", schema, table, from: b.name, to: a.name },
  ]
}

/** Whether it is Prisma's table for an implicit many-to-many relation. */
export function isBetweenModels({ name, columns }: Table): boolean {
  return name.startsWith("_") && columns.map(({ name }) => name).join() === "A,B"
}

type Named = Qualified
type Likeness<T> = (one: T, other: T) => number

/** Half of it is the same, or more. */
const enough = 0.5

function compared<T extends Named>(
  common: Pick<Gone, "kind" | "parent">,
  [from, to]: readonly [readonly T[], readonly T[]],
  likeness: Likeness<T>,
): readonly Gone[] {
  const missingIn = (others: readonly T[]) => (each: T) => !others.some((other) => same(each, other))
  const added = to.filter(missingIn(from))
  return from.filter(missingIn(to)).map((one) => {
    const fresh = added.filter(({ schema }) => schema === one.schema)
    const scored = fresh.map((other) => ({ name: other.name, score: likeness(one, other) }))
    const candidates = scored.filter(({ score }) => score >= enough).toSorted((a, b) => b.score - a.score)
    return {
      ...common,
      schema: one.schema,
      name: one.name,
      fresh: fresh.map(({ name }) => name),
      candidates: candidates.map(({ name }) => name),
    }
  })
}

const same = (one: Qualified | null, other: Qualified | null): boolean =>
  one?.schema === other?.schema && one?.name === other?.name

const pairs = <T extends Named>(from: readonly T[], to: readonly T[]): readonly (readonly [T, T])[] =>
  from.flatMap((one) => to.filter((other) => same(one, other)).map((other): readonly [T, T] => [one, other]))

/** The share of what is the same in both. */
function share(one: readonly string[], other: readonly string[]): number {
  const shared = one.filter((each) => other.includes(each)).length
  return shared / Math.max(one.length, other.length, 1)
}

const enumLikeness: Likeness<EnumType> = (one, other) =>
  share(
    one.values.map(({ name }) => name),
    other.values.map(({ name }) => name),
  )

const typeOf = ({ type, enum: values }: Column): string =>
  values === null ? type : JSON.stringify([values.schema, values.name, type.endsWith("[]")])

const columnsOf = ({ columns }: Table): readonly string[] => columns.map((each) => `${each.name} ${typeOf(each)}`)

/** What refers to other tables than before is another relation, whatever the columns' names. */
const tableLikeness: Likeness<Table> = (one, other) => {
  if (isBetweenModels(one) !== isBetweenModels(other)) return 0
  if (!isBetweenModels(one)) return share(columnsOf(one), columnsOf(other))
  const targets = ({ columns }: Table) => columns.map(({ references }) => JSON.stringify(references)).toSorted()
  return targets(one).join() === targets(other).join() ? 1 : 0
}

const columnLikeness: Likeness<Column> = (one, other) => {
  if (typeOf(one) !== typeOf(other)) return 0
  if (one.references !== null && other.references !== null && !same(one.references, other.references)) return 0
  const [name, otherName] = [one.name.toLowerCase(), other.name.toLowerCase()]
  return name.includes(otherName) || otherName.includes(name) ? 1 : 0.9
}
