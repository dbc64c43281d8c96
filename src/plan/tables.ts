import type { Change } from "../sql/changes.js"
import type { RelationName } from "../sql/tree.js"
import type { Target } from "./planned.js"
import { existing, type FoundRelation } from "./target.js"

/** What names mean at one moment of the plan: the catalog, and what the statements before would have changed in it. */
export interface Tables {
  target(name: RelationName): Target
  isNew(name: RelationName): boolean
  /** The table that an index belongs to. */
  tableOf(index: RelationName): RelationName | undefined
  /** Makes a statement's change in what names mean. */
  apply(change: Change): void
  /** Every migration begins with the URL's schema as its search path. */
  beginMigration(): void
}

/** Begins with what the catalog holds. */
export function tablesOf(found: readonly FoundRelation[], schema: string): Tables {
  const states = new Map<string, Target>()
  const owners = new Map<string, RelationName>()
  for (const relation of found) {
    const { schema, name, table } = relation
    const isIndex = table.name !== name || table.schema !== schema
    if (isIndex) owners.set(key({ schema, name }), table)
    states.set(key(table), existing(relation))
  }
  let path: readonly string[] = [schema]

  const candidates = (name: RelationName) =>
    name.schema === undefined ? path.map((schema) => ({ schema, name: name.name })) : [name]
  const lookUp = <T>(map: ReadonlyMap<string, T>, name: RelationName) =>
    candidates(name).flatMap((each) => map.get(key(each)) ?? [])[0]
  const target = (name: RelationName) => lookUp(states, name) ?? absent
  const created = (name: RelationName) => ({ schema: path[0] ?? "", ...name })
  const known = (name: RelationName) => candidates(name).find((each) => states.has(key(each)))
  const drop = (name: RelationName) => {
    const dropped = known(name)
    if (dropped !== undefined) states.delete(key(dropped))
    return dropped
  }

  return {
    target,
    isNew: (name) => target(name).state === "new",
    tableOf: (index) => {
      const table = lookUp(owners, index)
      return table && index.schema === undefined ? { name: table.name } : table
    },
    apply(change) {
      switch (change.change) {
        case "create":
          if (change.ifNotExists && target(change.relation).state !== "absent") return
          states.set(key(created(change.relation)), { state: "new" })
          return
        case "create index": {
          const { schema } = known(change.table) ?? created(change.table)
          owners.set(key({ schema, name: change.index }), { ...change.table, schema })
          return
        }
        case "drop":
          drop(change.relation)
          return
        case "move": {
          const state = target(change.from)
          const moved = drop(change.from)
          if (moved !== undefined) states.set(key({ ...moved, ...change.to }), state)
          return
        }
        case "search path":
          path = change.schemas ?? [schema]
      }
    },
    beginMigration: () => {
      path = [schema]
    },
  }
}

const absent: Target = { state: "absent" }

const key = ({ schema, name }: RelationName): string => JSON.stringify([schema, name])
