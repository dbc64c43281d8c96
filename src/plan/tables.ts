import type { Change } from "../sql/changes.js"
import type { RelationName } from "../sql/relation.js"
import type { Target } from "./planned.js"
import type { FoundRelation } from "./relations.js"

/** What names mean at one moment of the plan: the catalog, and what the statements so far would have changed. */
export interface Tables {
  target(name: RelationName): Target
  isNew(name: RelationName): boolean
  /** The table that an index belongs to. */
  tableOf(index: RelationName): RelationName | undefined
  /** Takes a statement's change into account. */
  follow(change: Change): void
  /** Every migration begins with the URL's schema as its search path. */
  beginMigration(): void
}

/** Starts from what the catalog holds. */
export function tablesOf(found: readonly FoundRelation[], schema: string): Tables {
  const states = new Map<string, Target>()
  const owners = new Map<string, RelationName>()
  for (const { schema, name, table, kind, rows, bytes } of found) {
    const isIndex = table.name !== name || table.schema !== schema
    if (isIndex) owners.set(key({ schema, name }), table)
    states.set(key(table), { state: "existing", kind, rows, bytes })
  }
  let path: readonly string[] = [schema]

  const candidates = (name: RelationName) =>
    name.schema === undefined ? path.map((schema) => ({ schema, name: name.name })) : [name]
  const lookUp = <T>(map: ReadonlyMap<string, T>, name: RelationName) =>
    candidates(name).flatMap((each) => map.get(key(each)) ?? [])[0]
  const target = (name: RelationName) => lookUp(states, name) ?? absent
  const place = (name: RelationName) => ({ schema: path[0] ?? "", ...name })
  const drop = (name: RelationName) => {
    const held = candidates(name).find((each) => states.has(key(each)))
    if (held !== undefined) states.delete(key(held))
    return held
  }

  return {
    target,
    isNew: (name) => target(name).state === "new",
    tableOf: (index) => {
      const table = lookUp(owners, index)
      return table && index.schema === undefined ? { name: table.name } : table
    },
    follow(change) {
      switch (change.change) {
        case "create":
          if (change.ifNotExists && target(change.relation).state !== "absent") return
          states.set(key(place(change.relation)), { state: "new" })
          return
        case "create index": {
          const { schema } = candidates(change.table).find((each) => states.has(key(each))) ?? place(change.table)
          owners.set(key({ schema, name: change.index }), { ...change.table, schema })
          return
        }
        case "drop":
          drop(change.relation)
          return
        case "move": {
          const state = target(change.from)
          const held = drop(change.from)
          if (held !== undefined) states.set(key({ ...held, ...change.to }), state)
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
