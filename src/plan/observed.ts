import type { GoneObject } from "../scratch/differences.js"
import { courseOf, type Observation, type ObservedRelation } from "../scratch/observation.js"
import type { Snapshot } from "../scratch/snapshot.js"
import { castOf } from "../sql/casts.js"
import { type Effect, effects } from "../sql/effects.js"
import type { Statement } from "../sql/parse.js"
import { type Cost, type LockMode, lockModes } from "../sql/rules.js"
import { find, quoted } from "../sql/tree.js"
import { typeChanges } from "../sql/types.js"
import { cascadeLoss, castLoss } from "./losses.js"
import { type Target, unknownWork, type Work, waitsFor } from "./planned.js"
import { safeForms } from "./safer.js"

/** What the observation of one statement is turned into work with. */
export interface ObservedContext {
  readonly statement: Statement
  /** The scratch database before the first pending migration, which is what the target holds. */
  readonly initial: Snapshot
  /** The schema that unqualified names mean. */
  readonly schema: string
  /** The relation in the target, by its oid on the scratch database. */
  readonly target: (oid: number) => Target
  readonly until: Work["until"]
  /** The locks of earlier statements of the same transaction. */
  readonly held: HeldLocks
}

/** By relation, the strongest lock of the open transaction and the line that took it. */
export type HeldLocks = Map<number, { readonly lock: LockMode; readonly line: number }>

/** What a statement did, as work: one for each table, its indexes included, then what is not known. */
export function observedWork(observation: Observation, context: ObservedContext): readonly Work[] {
  const { statement, held } = context
  const all = effects(statement.node)
  const tables = observation.relations.filter(({ indexOf }) => indexOf === undefined)
  const indexes = observation.relations.filter(({ indexOf }) => indexOf !== undefined)
  const orphans = indexes.filter(({ indexOf }) => !tables.some(({ oid }) => oid === indexOf))
  const works = [
    ...tables.map((table) =>
      tableWork(
        { table, indexes: indexes.filter(({ indexOf }) => indexOf === table.oid) },
        { observation, all, context },
      ),
    ),
    ...orphans.map((index) => tableWork({ table: index, indexes: [] }, { observation, all, context })),
  ]
  note(observation.relations, statement.line, held)
  const reasons = unseen(observation, statement)
  return [...works.filter(isWorthALine), ...reasons.map(unknownWork)]
}

/** Reading keeps nobody waiting; that a table is read as a whole is worth a line all the same. */
const isWorthALine = ({ lock, scans, costs }: Work): boolean =>
  lock !== "none" && (lock !== "ACCESS SHARE" || scans !== false || costs.length > 0)

interface Observed {
  readonly observation: Observation
  readonly all: readonly Effect[]
  readonly context: ObservedContext
}

interface WithIndexes {
  readonly table: ObservedRelation
  readonly indexes: readonly ObservedRelation[]
}

function tableWork(relation: WithIndexes, { observation, all, context }: Observed): Work {
  const { table } = relation
  const { initial, held, statement } = context
  const owner = table.indexOf ?? table.oid
  const isNew = !initial.relations.has(owner)
  const target: Target = isNew ? { state: "new" } : context.target(owner)
  const named = all.filter(({ table: name, index }) => {
    const relation = name ?? index
    return relation?.name === table.name && (relation.schema ?? table.schema) === table.schema
  })
  const earlier = held.get(table.oid)
  const lock = strongest([lockOf(table, earlier?.lock), ...relation.indexes.map(({ lock }) => lock)])
  const costs = isNew ? [] : costsOf(relation, { lock, named, statement })
  const destroys = isNew ? [] : lossesOf(table, { observation, all, context })
  const work: Work = {
    rules: [...new Set(named.map(({ rule }) => rule))],
    lock,
    waits: isNew ? "nobody" : waitsFor(lock),
    until: context.until,
    held: earlier !== undefined && isStronger(earlier.lock, lock) ? earlier : undefined,
    table: nameOf(table, context),
    target,
    rewrites: !isNew && table.rewrites,
    scans: !isNew && table.scans && (readsByPlan(statement) ? "depends" : true),
    writes: isNew ? [] : [...new Set([...table.writes, ...table.cascades.map(({ command }) => command)])],
    ...{ costs, destroys, fails: [], unknown: isNew ? [] : unknownCasts(table, observation, context), safer: [] },
  }
  return isNew ? work : { ...work, safer: safeForms(work, named) }
}

/** A statement that needed a lock which its transaction held already took none. */
function lockOf({ lock, held, cascades, isChanged }: ObservedRelation, earlier: LockMode | undefined): Work["lock"] {
  if (lock !== "none") return lock
  if (cascades.length > 0) return "ROW EXCLUSIVE"
  return isChanged ? (earlier ?? held) : "none"
}

const ranks: ReadonlyMap<string, number> = new Map(lockModes.map((mode, rank) => [mode, rank]))
const rank = (lock: Work["lock"]): number => ranks.get(lock) ?? -1
const isStronger = (one: Work["lock"], other: Work["lock"]): boolean => rank(one) > rank(other)
const strongest = (locks: readonly Work["lock"][]): Work["lock"] =>
  locks.reduce((one, other) => (isStronger(other, one) ? other : one), "none")

/** Remembers what the transaction holds from here on. */
function note(relations: readonly ObservedRelation[], line: number, held: HeldLocks): void {
  for (const { oid, held: lock } of relations) {
    if (lock !== "none" && isStronger(lock, held.get(oid)?.lock ?? "none")) held.set(oid, { lock, line })
  }
}

/** The name at that moment, with its schema where that is another one than the URL's. */
const nameOf = ({ schema, name }: ObservedRelation, context: Pick<ObservedContext, "schema">): string =>
  quoted(schema === context.schema ? { name } : { schema, name })

/** Whether the planner chooses how a statement reads; on an empty table it may choose otherwise than on a full one. */
const readsByPlan = ({ node }: Statement): boolean =>
  "UpdateStmt" in node ||
  "DeleteStmt" in node ||
  "InsertStmt" in node ||
  "MergeStmt" in node ||
  "SelectStmt" in node ||
  "DoStmt" in node ||
  "CallStmt" in node

interface Costing {
  readonly lock: Work["lock"]
  readonly named: readonly Effect[]
  readonly statement: Statement
}

function costsOf({ table, indexes }: WithIndexes, { lock, named, statement }: Costing): readonly Cost[] {
  const keepsOut = waitsFor(lock) !== "nobody"
  const costs: Cost[] = []
  if (table.kind === "m" && table.rewrites) costs.push("runs its query")
  else if (table.rewrites) costs.push("rewrites the table")
  const builds = table.builds.length > 0 || indexes.some(({ rewrites }) => rewrites)
  if (builds && !table.rewrites)
    costs.push(keepsOut ? "builds an index under the lock" : "builds an index, reads and writes continue")
  if (table.scans && !table.rewrites && !builds && !readsByPlan(statement))
    costs.push(keepsOut ? "full scan under the lock" : "full scan, reads and writes continue")
  if (table.writes.includes("update") || table.writes.includes("delete") || table.cascades.length > 0) {
    const every = named.some(({ rule }) => rule === "update-all" || rule === "delete-all")
    costs.push(every ? "writes every row" : "writes the matching rows")
  } else if (table.writes.includes("insert")) costs.push("writes rows")
  if (costs.length > 0 || lock === "ACCESS SHARE") return costs
  return [named.find(({ cost }) => cost === "waits for older transactions")?.cost ?? "instant"]
}

function lossesOf(table: ObservedRelation, { observation, all, context }: Observed): readonly string[] {
  const { initial, statement } = context
  const name = nameOf(table, context)
  const gone = observation.gone.filter(({ oid }) => oid === table.oid).flatMap((each) => goneData(each, name, initial))
  const every = all.some(({ rule, table: named }) => rule === "delete-all" && named?.name === table.name)
  const deletes = table.writes.includes("delete")
    ? [every ? `the rows of ${name}` : `the matching rows of ${name}`]
    : []
  const truncates = table.writes.includes("truncate") ? [`the rows of ${name}`] : []
  const cascades = table.cascades.map(({ command, foreignKey }) => cascadeLoss(name, foreignKey, command))
  const casts = changedTypes(table, observation, context).flatMap(({ from, to, column }) => {
    const by = typeChanges(statement.node).find((each) => each.column === column)?.by ?? "assignment"
    return castLoss({ table: name, column, from, to, by }) ?? []
  })
  return [...new Set([...gone, ...truncates, ...deletes, ...cascades, ...casts])]
}

/** What was made by an earlier pending statement holds no data of the target's. */
function goneData({ kind, oid, name, column }: GoneObject, table: string, initial: Snapshot): readonly string[] {
  if (kind === "table" && initial.relations.has(oid)) return [`table ${table}`]
  if (kind !== "column" || !initial.columns.has(`${oid}.${column}`)) return []
  return [`column ${table}.${quoted({ name })}`]
}

interface ChangedType {
  readonly column: string
  readonly from: string
  readonly to: string
}

function changedTypes(
  table: ObservedRelation,
  { columns }: Observation,
  { initial }: ObservedContext,
): readonly ChangedType[] {
  return columns.flatMap(({ table: of, number, name, before, after }) => {
    const isOld = of.oid === table.oid && initial.columns.has(`${of.oid}.${number}`)
    return isOld && before !== undefined && before.type !== after.type
      ? [{ column: name, from: before.type, to: after.type }]
      : []
  })
}

/** Changes of a type about which nothing is known. A value that a new enum lacks is refused, none is lost. */
function unknownCasts(table: ObservedRelation, observation: Observation, context: ObservedContext): readonly string[] {
  const by = (column: string) => typeChanges(context.statement.node).find((each) => each.column === column)?.by
  return changedTypes(table, observation, context)
    .filter(({ column, from, to }) => castOf(from, to, by(column)).known === "no" && !throughText(context.statement))
    .map(({ column, from, to }) => `what becomes of the values of ${quoted({ name: column })} (${from} to ${to})`)
}

/** USING with a cast to text and on: how the values of one enum become another's. */
const throughText = ({ node }: Statement): boolean => {
  const casts = [...find(node, "TypeCast")]
  return casts.length === 2
}

/** Why what was observed may not be all: what the rows decide, on a scratch database without rows. */
function unseen({ functions, rowTriggers }: Observation, { node, text }: Statement): readonly string[] {
  const called = functions.filter(({ course }) => course === "depends on rows").map(({ name }) => `${name}()`)
  const block =
    "DoStmt" in node && courseOf("plpgsql", text.replace(/^\s*do\b/i, "")) === "depends on rows" ? ["the DO block"] : []
  const triggers = rowTriggers.map(
    ({ name, table }) => `the trigger ${quoted({ name })} of ${quoted({ name: table.name })}`,
  )
  return [...new Set([...called, ...block, ...triggers])].map(
    (what) => `what ${what} does depends on the rows; to see it on data: \`lockstep rehearse\``,
  )
}
