import { type LockMode, lockModes } from "../sql/rules.js"
import { type ColumnChange, changedTables, columnChanges, type GoneObject, goneBetween } from "./differences.js"
import type { Messages, Write, WriteCommand } from "./observer.js"
import type { ForeignKey, Relation, Snapshot } from "./snapshot.js"

/** What one statement did, observed on a database in which it ran. */
export interface Observation {
  /** The relations that existed before and that it locked, read, wrote or changed; tables before their indexes. */
  readonly relations: readonly ObservedRelation[]
  /** Objects that are gone, with everything that went with them; what belongs to a table that is gone is left out. */
  readonly gone: readonly GoneObject[]
  readonly columns: readonly ColumnChange[]
  /** The user's own functions that ran, as `schema.name`, and whether each one's course depends on the rows it finds. */
  readonly functions: readonly { readonly name: string; readonly course: "fixed" | "depends on rows" }[]
  /** Triggers that would have run for rows, of which there were none, and whose function does more than change the row. */
  readonly rowTriggers: readonly { readonly name: string; readonly table: Relation }[]
  readonly notices: readonly string[]
  readonly durationMs: number
}

/** What a statement did to a relation. Names are those before the statement. */
export interface ObservedRelation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** pg_class.relkind: "r" table, "p" partitioned table, "i" index, "S" sequence, "v" view, "m" materialized view, ... */
  readonly kind: string
  /** For an index, its table's oid; otherwise undefined. */
  readonly indexOf: number | undefined
  /** The strongest lock that this statement took; "none" where it needed none that the transaction did not hold. */
  readonly lock: LockMode | "none"
  /** The strongest lock that the transaction holds after it. */
  readonly held: LockMode | "none"
  /** Written anew into another file; a table that TRUNCATE emptied is not. */
  readonly rewrites: boolean
  /** Read as a whole, for a check, a build of an index, or a query. */
  readonly scans: boolean
  /** Names of the indexes that were built or rebuilt on it. */
  readonly builds: readonly string[]
  /** Commands that write its rows, also where there was no row. */
  readonly writes: readonly WriteCommand[]
  /** What the rows' foreign keys would do to this table as a consequence; it did not run where there was no row. */
  readonly cascades: readonly Cascade[]
  readonly rows: { readonly inserted: number; readonly updated: number; readonly deleted: number }
  /** Its definition, or that of a column, constraint or trigger of it. */
  readonly isChanged: boolean
}

/** A foreign key whose action reaches this table: ON DELETE CASCADE deletes, SET NULL and SET DEFAULT update. */
export interface Cascade {
  readonly command: "delete" | "update"
  readonly foreignKey: string
}

/** The two moments between which one statement ran. */
export interface Between {
  readonly before: Snapshot
  readonly after: Snapshot
  readonly messages: Messages
  readonly durationMs: number
  /** Locks that were seen beside what the snapshots hold, by relation. */
  readonly seen?: ReadonlyMap<number, readonly string[]>
}

/** Compares the database before and after a statement. */
export function observationOf(between: Between): Observation {
  const { before, after, messages, durationMs } = between
  const writes = writesOf(messages.writes, between)
  const cascades = cascadesOf(writes, before.foreignKeys)
  const builds = buildsOf(before, after)
  const changed = changedTables(before, after)
  const relations = [...before.relations.values()].flatMap((relation): readonly ObservedRelation[] => {
    const { oid, kind, indexOf } = relation
    const now = after.relations.get(oid)
    const hasNewFile = now !== undefined && relation.file !== null && now.file !== relation.file
    const commands = writes.get(oid) ?? []
    const isEmptied = [oid, indexOf].some((each) => writes.get(each)?.includes("truncate"))
    const locks = [...newLocks(oid, between), ...(between.seen?.get(oid) ?? []), ...impliedBy(commands)]
    const observed: ObservedRelation = {
      ...{ oid, schema: relation.schema, name: relation.name, kind, indexOf: indexOf === 0 ? undefined : indexOf },
      lock: strongest(locks),
      held: strongest([...(after.locks.get(oid) ?? []), ...(before.locks.get(oid) ?? []), ...locks]),
      rewrites: hasNewFile && !isEmptied,
      scans: counted(relation.scans, now?.scans ?? 0) > 0 && !isEmptied,
      builds: isEmptied ? [] : (builds.get(oid) ?? []),
      writes: commands,
      cascades: cascades.get(oid) ?? [],
      rows: {
        inserted: counted(relation.inserted, now?.inserted ?? 0),
        updated: counted(relation.updated, now?.updated ?? 0),
        deleted: counted(relation.deleted, now?.deleted ?? 0),
      },
      isChanged: now === undefined || now.version !== relation.version || changed.has(oid),
    }
    return isTouched(observed) ? [observed] : []
  })
  return {
    relations: relations.sort((one, other) => Number(one.indexOf ?? 0) - Number(other.indexOf ?? 0)),
    gone: goneBetween(before, after),
    columns: columnChanges(before, after),
    functions: calledBetween(before, after),
    rowTriggers: before.rowTriggers.flatMap(({ table: oid, name, on, language, source }) => {
      const table = before.relations.get(oid)
      const fires = on.some((command) => writes.get(oid)?.includes(command))
      return table !== undefined && fires && maySpread(language, source) ? [{ name, table }] : []
    }),
    notices: messages.notices,
    durationMs,
  }
}

/** A lock that keeps nobody waiting is not worth a word: any on a relation that is only read, a writer's on an index or sequence. */
function isTouched(relation: ObservedRelation): boolean {
  const { kind, indexOf, lock, held, rewrites, scans, builds, writes, cascades, isChanged } = relation
  const ofWriters = lock === "ROW SHARE" || lock === "ROW EXCLUSIVE"
  const isWeak = lock === "none" || lock === "ACCESS SHARE" || (ofWriters && (kind === "S" || indexOf !== undefined))
  return (
    !isWeak ||
    rewrites ||
    scans ||
    builds.length > 0 ||
    writes.length > 0 ||
    cascades.length > 0 ||
    (isChanged && held !== "none")
  )
}

const counted = (before: number, after: number): number => (after >= before ? after - before : after)

/** A mode as pg_locks writes it ("ShareUpdateExclusiveLock") in SQL's words. */
export function modeOf(mode: string): LockMode | undefined {
  const words = mode
    .replace(/Lock$/, "")
    .replace(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toUpperCase()
  return lockModes.find((each) => each === words)
}

const strongest = (modes: readonly string[]): LockMode | "none" => {
  const words = modes.map(modeOf)
  return lockModes.findLast((mode) => words.includes(mode)) ?? "none"
}

function newLocks(oid: number, { before, after }: Between): readonly string[] {
  const held = before.locks.get(oid) ?? []
  return (after.locks.get(oid) ?? []).filter((mode) => !held.includes(mode))
}

/**
 * The lock that a write needs: the transaction may hold it already, and a procedure that commits gives it up before
 * anybody can see it.
 */
function impliedBy(commands: readonly WriteCommand[]): readonly string[] {
  if (commands.length === 0) return []
  return commands.includes("truncate") ? ["AccessExclusiveLock"] : ["RowExclusiveLock"]
}

/** What was written to each table; a statement on a parent writes to its partitions and children as well. */
function writesOf(
  writes: readonly Write[],
  { before, after }: Pick<Between, "before" | "after">,
): ReadonlyMap<number, readonly WriteCommand[]> {
  const children = childrenIn(before)
  const found = new Map<number, Set<WriteCommand>>()
  const add = (table: number, command: WriteCommand): void => {
    const commands = found.get(table) ?? new Set()
    if (commands.has(command)) return
    found.set(table, commands.add(command))
    for (const child of children.get(table) ?? []) {
      // A row goes to one partition, which is then locked, and never to an inheriting child.
      if (command !== "insert" || after.locks.has(child)) add(child, command)
    }
  }
  for (const { table, command } of writes) add(table, command)
  return new Map([...found].map(([table, commands]) => [table, [...commands]]))
}

function childrenIn({ objects }: Snapshot): ReadonlyMap<number, readonly number[]> {
  const children = new Map<number, number[]>()
  for (const { kind, name, table } of objects.values()) {
    if (kind !== "parent") continue
    children.set(Number(name), [...(children.get(Number(name)) ?? []), table])
  }
  return children
}

/** The tables that the foreign keys' actions reach from those whose rows are deleted. */
function cascadesOf(
  writes: ReadonlyMap<number, readonly WriteCommand[]>,
  keys: readonly ForeignKey[],
): ReadonlyMap<number, readonly Cascade[]> {
  const reached = new Map<number, Cascade[]>()
  const visit = (table: number): void => {
    for (const key of keys.filter(({ to }) => to === table)) {
      const command =
        key.onDelete === "c" ? "delete" : key.onDelete === "n" || key.onDelete === "d" ? "update" : undefined
      const known = reached.get(key.from) ?? []
      if (command === undefined || known.some(({ foreignKey }) => foreignKey === key.name)) continue
      reached.set(key.from, [...known, { command, foreignKey: key.name }])
      if (command === "delete") visit(key.from)
    }
  }
  for (const [table, commands] of writes) if (commands.includes("delete")) visit(table)
  return reached
}

/**
 * Indexes that are new on a table which existed, or that got another file without the table being emptied. Where a
 * column's new type lets it, PostgreSQL makes the index anew in the catalog and keeps its file: nothing is built.
 */
function buildsOf(before: Snapshot, after: Snapshot): ReadonlyMap<number, readonly string[]> {
  const builds = new Map<number, string[]>()
  const files = new Set([...before.relations.values()].map(({ file }) => file))
  for (const { indexOf, name, file, kind } of after.relations.values()) {
    const table = before.relations.get(indexOf)
    if (table === undefined || kind === "I" || files.has(file)) continue
    builds.set(indexOf, [...(builds.get(indexOf) ?? []), name])
  }
  return builds
}

/** Words of PL/pgSQL and SQL on which it depends what else runs. */
const branches = /\b(?:if|case|loop|for|foreach|while|execute|exception|return\s+query)\b/i

/** Whether all of a function's or block's statements run whatever the tables hold, as far as its text shows. */
export const courseOf = (language: string, source: string): "fixed" | "depends on rows" =>
  (language === "plpgsql" || language === "sql") && !branches.test(source) ? "fixed" : "depends on rows"

const otherStatements =
  /\b(?:insert|update|delete|truncate|merge|execute|perform|call|copy|alter|drop|create|select)\b/i

/** Whether a trigger's function may reach other rows or tables, as far as its text shows. */
const maySpread = (language: string, source: string): boolean =>
  language !== "plpgsql" || otherStatements.test(source.replaceAll(/\btg_op\s*=\s*'\w+'/gi, ""))

function calledBetween(before: Snapshot, after: Snapshot): Observation["functions"] {
  return [...after.calls].flatMap(([oid, { name, calls, language, source }]) =>
    counted(before.calls.get(oid)?.calls ?? 0, calls) > 0 ? [{ name, course: courseOf(language, source) }] : [],
  )
}
