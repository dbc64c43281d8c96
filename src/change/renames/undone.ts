import { quoteIdentifier } from "../../postgres/quote.js"
import type { Column, Structure, Table } from "../../postgres/structure.js"
import { type CastBy, lossOf } from "../../sql/casts.js"
import { type Naming, namingFor, type Rename } from "./rename.js"

interface Named {
  readonly id: number
  readonly name: string
}

/**
 * The renames that give back the old names to what is the same object in both structures of one database, so that an
 * undo does not drop it. What has taken an old name meanwhile gets another one first: the undo removes it.
 */
export function renamesBack(before: Structure, now: Structure): readonly Rename[] {
  const pairs = pairsOf(before, now)
  const tables = back(before.tables, now.tables, ({ schema }) => ({ kind: "table", schema }))
  const inTables = pairs.tables.flatMap(([was, is]) => {
    const { schema, name: table } = was
    return [
      ...back(was.columns, is.columns, () => ({ kind: "column", schema, table })),
      ...back(was.parts, is.parts, ({ kind }) => (kind === "constraint" ? { kind, schema, table } : { kind, schema })),
    ]
  })
  const enums = back(before.enums, now.enums, ({ schema }) => ({ kind: "enum", schema }))
  const values = pairs.enums.flatMap(([was, is]) =>
    back(was.values, is.values, () => ({ kind: "enum value", schema: was.schema, enum: was.name })),
  )
  return [...enums, ...values, ...tables, ...inTables]
}

/** A rename without its names. */
type Scope = Rename extends infer Each ? (Each extends Rename ? Omit<Each, "from" | "to"> : never) : never

function back<T extends Named>(was: readonly T[], is: readonly T[], scope: (each: T) => Scope): readonly Rename[] {
  return was.flatMap((old): readonly Rename[] => {
    const now = is.find(({ id }) => id === old.id)
    if (now === undefined || now.name === old.name || schemaOf(now) !== schemaOf(old)) return []
    const taken = is.find((each) => each.name === old.name && schemaOf(each) === schemaOf(old))
    const isNew = taken !== undefined && !was.some(({ id }) => id === taken.id)
    const aside = { ...scope(old), from: old.name, to: `${old.name.slice(0, 40)}_lockstep_undone` }
    return [...(isNew ? [aside] : []), { ...scope(old), from: now.name, to: old.name }]
  })
}

const schemaOf = (named: Named): unknown => ("schema" in named ? named.schema : undefined)

function pairsOf(before: Structure, now: Structure) {
  const same = <T extends Named>(was: readonly T[], is: readonly T[]): readonly (readonly [T, T])[] =>
    was.flatMap((one) => is.filter(({ id }) => id === one.id).map((other): readonly [T, T] => [one, other]))
  return { tables: same<Table>(before.tables, now.tables), enums: same(before.enums, now.enums) }
}

/** What changes of columns' types have lost for good, and what taking them back loses, in words. */
export function castLosses(
  { before, now }: { readonly before: Structure; readonly now: Structure },
  by: CastBy,
  urlSchema: string,
): readonly string[] {
  const named = namingFor(urlSchema)
  return pairsOf(before, now).tables.flatMap(([was, is]) =>
    was.columns.flatMap((column) => {
      const changed = is.columns.find(({ id }) => id === column.id)
      return changed === undefined
        ? []
        : lossesOfType(`${nameOf(was, named)}.${quoteIdentifier(column.name)}`, [column, changed], by)
    }),
  )
}

const nameOf = ({ schema, name }: Table, named: Naming): string => named(schema, name)

function lossesOfType(what: string, [was, is]: readonly [Column, Column], by: CastBy): readonly string[] {
  if (was.type === is.type || was.enum !== null || is.enum !== null) return []
  const lost = lossOf(was.type, is.type, by)
  const loses = lossOf(is.type, was.type)
  return [
    ...(lost === undefined
      ? []
      : [`${what} comes back as ${was.type} without ${lost}, lost when it became ${is.type}`]),
    ...(loses === undefined ? [] : [`${what} from ${is.type} to ${was.type}: ${loses}`]),
  ]
}
