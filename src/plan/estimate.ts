import { LockstepError } from "../errors.js"
import type { StateOf } from "../history/compare.js"
import type { Client } from "../postgres/connect.js"
import { type Change, changes } from "../sql/changes.js"
import { type Effect, effects, uncheckedIfNew } from "../sql/effects.js"
import type { Statement } from "../sql/parse.js"
import { lockModes } from "../sql/rules.js"
import { quoted, type RelationName } from "../sql/tree.js"
import { type CatalogFacts, readFacts } from "./facts.js"
import { onOneLine, type PendingMigration, preparePending } from "./pending.js"
import { type PlannedMigration, type PlannedStatement, type Target, type Work, waitsFor } from "./planned.js"
import { type Tables, tablesOf } from "./tables.js"
import { readRelations } from "./target.js"
import { uncertain, withTypes } from "./uncertain.js"

/** The names of all relations that the statements work on, and the schemas in which they may be. */
export function mentioned(migrations: readonly PendingMigration[]): {
  readonly names: readonly string[]
  readonly schemas: readonly string[]
} {
  const nodes = migrations.flatMap(({ statements }) => statements.map(({ node }) => node))
  const changed = nodes.flatMap(changes)
  const relations = [
    ...nodes.flatMap(effects).flatMap(({ table, index }) => table ?? index ?? []),
    ...changed.flatMap((each) => (each.change === "move" ? [each.from] : [])),
  ]
  const searchPaths = changed.flatMap((each) => (each.change === "search path" ? (each.schemas ?? []) : []))
  return {
    names: unique(relations.map(({ name }) => name)),
    schemas: unique([...relations.flatMap(({ schema }) => schema ?? []), ...searchPaths]),
  }
}

/** What a database's catalog says about the names in the pending migrations. */
export interface Known {
  readonly tables: Tables
  readonly facts: CatalogFacts
}

/** A migration by the rules of docs/lock-rules.md; what these cannot be sure of is unknown. */
export function estimated(migration: PendingMigration, known: Known): PlannedMigration {
  known.tables.beginMigration()
  const { prepared: _, ...common } = migration
  const until = migration.class === "transactional" ? "end of migration" : "end of statement"
  return { ...common, statements: migration.statements.map((one) => estimate(one, until, known)) }
}

function estimate(statement: Statement, until: Work["until"], known: Known): PlannedStatement {
  const { line, column, text, node } = statement
  const { tables } = known
  const all = withTypes(uncheckedIfNew(effects(node), tables.isNew), node, known)
  const work = [...workOf(all, tables, until), ...uncertain(statement, known)]
  for (const change of changes(node) satisfies readonly Change[]) tables.apply(change)
  return { line, column, text: onOneLine(text), basis: "estimated", work, refused: undefined, notices: [] }
}

/** A statement's effects as work, one for each relation, in the order in which the statement comes to them. */
function workOf(effects: readonly Effect[], tables: Tables, until: Work["until"]): readonly Work[] {
  const byRelation = new Map<string | undefined, Effect[]>()
  for (const effect of effects) {
    const relation = relationOf(effect, tables)
    const table = relation && quoted(relation)
    byRelation.set(table, [...(byRelation.get(table) ?? []), effect])
  }
  return [...byRelation].map(([table, all]) => ({ ...merged(all, targetOf(all, tables)), table, until }))
}

/** For an index its table; the index itself where its table is not known. */
function relationOf({ table, index }: Effect, tables: Tables): RelationName | undefined {
  return table ?? (index && (tables.tableOf(index) ?? index))
}

function targetOf([effect]: readonly Effect[], tables: Tables): Target {
  const relation = effect && relationOf(effect, tables)
  if (relation === undefined) return { state: "unnamed" }
  const target = tables.target(relation)
  const creates = effect?.rule === "create-table" || effect?.rule === "create-table-as"
  return creates && target.state === "absent" ? { state: "new" } : target
}

function merged(all: readonly Effect[], target: Target): Omit<Work, "table" | "until"> {
  const harmless = target.state === "new" || target.state === "absent"
  const lock = strongest(all)
  return {
    rules: unique(all.map(({ rule }) => rule)),
    ...{ lock, target, held: undefined },
    waits: harmless ? "nobody" : waitsFor(lock),
    rewrites: harmless ? false : worst(all.map(({ rewrites }) => rewrites)),
    scans: harmless ? false : worst(all.map(({ scans }) => scans)),
    writes: harmless ? [] : unique(all.flatMap(({ rule }) => writing[rule] ?? [])),
    costs: harmless ? [] : costsOf(all),
    destroys: harmless ? [] : unique(all.flatMap(({ destroys }) => destroys ?? [])),
    fails: [],
    unknown: lock === "unknown" ? ["what runs is decided when it runs"] : [],
    safer: harmless ? [] : unique(all.flatMap(({ safer }) => safer ?? [])),
  }
}

const writing: Partial<Record<Effect["rule"], Work["writes"]>> = {
  "update-all": ["update"],
  "update-some": ["update"],
  "delete-all": ["delete"],
  "delete-some": ["delete"],
  insert: ["insert"],
  truncate: ["truncate"],
}

function strongest(all: readonly Effect[]): Effect["lock"] {
  const mode = lockModes.findLast((mode) => all.some(({ lock }) => lock === mode))
  return mode ?? (all.some(({ lock }) => lock === "unknown") ? "unknown" : "none")
}

function costsOf(all: readonly Effect[]): Work["costs"] {
  const costs = unique(all.map(({ cost }) => cost))
  return costs.length > 1 ? costs.filter((cost) => cost !== "instant") : costs
}

const worst = (values: readonly (boolean | "depends")[]): boolean | "depends" =>
  values.includes(true) || (values.includes("depends") ? "depends" : false)

const unique = <T>(values: readonly T[]): readonly T[] => [...new Set(values)]

/** What a statement that destroys data has in its text. Nothing is parsed where no pending migration has one. */
const mayDestroy = /\b(drop|truncate|delete|merge|type)\b/i

/**
 * The data that pending migrations destroy by their SQL, in words, by the migration's name. As in an estimated plan, what
 * functions do is not seen. Empty where the migrations cannot be prepared: a deploy reports why.
 */
export async function pendingLosses(
  client: Client,
  { schema, pending }: { readonly schema: string; readonly pending: readonly StateOf<"pending">[] },
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (!pending.some(({ migration }) => mayDestroy.test(migration.text))) return new Map()
  const prepared = await preparePending(pending).catch((error: unknown) => {
    if (error instanceof LockstepError) return []
    throw error
  })
  const { names, schemas } = mentioned(prepared)
  const facts = await readFacts(client, names)
  const found = await readRelations(client, { names, schemas: [schema, ...schemas] })
  const known = { tables: tablesOf(found, schema), facts }
  return new Map(
    prepared.map((migration) => {
      const { statements } = estimated(migration, known)
      const destroys = statements.flatMap(({ work }) => work.flatMap((each) => each.destroys))
      return [migration.name, [...new Set(destroys)]]
    }),
  )
}
