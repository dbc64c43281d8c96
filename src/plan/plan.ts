import { prepare } from "../deploy/apply/prepare.js"
import { readComparison, readDatabase } from "../deploy/connect/read.js"
import type { StateOf } from "../history/compare.js"
import type { Folder } from "../history/folder.js"
import { type ExternalObjects, findExistingObjects } from "../history/recorded.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { inLine } from "../printable.js"
import { type Change, changes } from "../sql/changes.js"
import { classify } from "../sql/classify.js"
import { type Effect, effects, uncheckedIfNew } from "../sql/effects.js"
import { parseScript, type Statement } from "../sql/parse.js"
import { lockModes } from "../sql/rules.js"
import { quoted } from "../sql/tree.js"
import type { Plan, PlannedMigration, Target, Work } from "./planned.js"
import { readRelations, type Tables, tablesOf } from "./target.js"

/** What a plan needs. */
export interface PlanRequest {
  readonly url: DatabaseUrl
  readonly folder: Folder
  /** What others manage: a database without a history may hold it. */
  readonly external?: ExternalObjects | undefined
}

/**
 * What a deploy would do now: every statement of the pending migrations, with the lock and the cost by the rules of
 * docs/lock-rules.md, and the relations' sizes in the database. Reads only.
 * Errors: L1013 psql meta-commands, L1108 and L1110 the history cannot be read, L1210 to L1219 no connection, L1021 a transaction pooler.
 */
export async function planMigrations({ url, folder, external }: PlanRequest): Promise<Plan> {
  return await readDatabase({ url, applicationName: "lockstep plan" }, async (client) => {
    const { comparison, history } = await readComparison(client, { url, folder })
    const pending: ParsedMigration[] = []
    for (const one of comparison.pending) pending.push(await parsed(one))
    const { names, schemas } = mentioned(pending)
    const found = await readRelations(client, { names, schemas: [url.schema, ...schemas] })
    const tables = tablesOf(found, url.schema)
    return {
      migrations: pending.map((one) => planned(one, tables)),
      total: folder.migrations.length,
      failed: comparison.failed.map(({ name }) => name),
      existingObjects: history === "none" ? await findExistingObjects(client, url.schema, external) : undefined,
    }
  })
}

/** A pending migration, before the catalog is asked about the relations in it. */
interface ParsedMigration extends Omit<PlannedMigration, "statements"> {
  readonly statements: readonly ParsedStatement[]
}

/** What is kept of a statement: not its parse tree, which is large. */
interface ParsedStatement {
  readonly line: number
  readonly text: string
  readonly effects: readonly Effect[]
  readonly changes: readonly Change[]
}

async function parsed({ migration, name, outOfOrder }: StateOf<"pending">): Promise<ParsedMigration> {
  const { file, sql, class: kind } = await prepare(migration)
  const script = await parseScript(sql)
  const common = { name, file, class: kind, outOfOrder }
  if (script.kind === "unparsed") {
    const { line, column, message } = script
    return { ...common, why: undefined, statements: [], unparsed: { line, column, message } }
  }
  const classification = classify(script)
  const why = classification.class === "transactional" ? undefined : classification.reason.why
  return { ...common, why, statements: script.statements.map(parsedStatement), unparsed: undefined }
}

function parsedStatement({ line, text, node }: Statement): ParsedStatement {
  return { line, text: onOneLine(text), effects: effects(node), changes: changes(node) }
}

const longest = 200

function onOneLine(text: string): string {
  const line = inLine(text.slice(0, 4 * longest).replaceAll(/\s+/g, " "))
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line
}

/** The names of all relations that the statements work on, and the schemas in which they may be. */
function mentioned(migrations: readonly ParsedMigration[]) {
  const statements = migrations.flatMap(({ statements }) => statements)
  const relations = statements.flatMap(({ effects, changes }) => [
    ...effects.flatMap(({ table, index }) => table ?? index ?? []),
    ...changes.flatMap((each) => (each.change === "move" ? [each.from] : [])),
  ])
  const searchPaths = statements.flatMap(({ changes }) =>
    changes.flatMap((each) => (each.change === "search path" ? (each.schemas ?? []) : [])),
  )
  return {
    names: unique(relations.map(({ name }) => name)),
    schemas: unique([...relations.flatMap(({ schema }) => schema ?? []), ...searchPaths]),
  }
}

function planned(migration: ParsedMigration, tables: Tables): PlannedMigration {
  tables.beginMigration()
  const statements = migration.statements.map(({ line, text, effects, changes }) => {
    const work = workOf(uncheckedIfNew(effects, tables.isNew), tables)
    for (const change of changes) tables.apply(change)
    return { line, text, work }
  })
  return { ...migration, statements }
}

/** A statement's effects as work, one for each relation, in the order in which the statement comes to them. */
function workOf(effects: readonly Effect[], tables: Tables): readonly Work[] {
  const byRelation = new Map<string | undefined, Effect[]>()
  for (const effect of effects) {
    const relation = relationOf(effect, tables)
    const table = relation && quoted(relation)
    byRelation.set(table, [...(byRelation.get(table) ?? []), effect])
  }
  return [...byRelation].map(([table, all]) => merged(all, table, targetOf(all, tables)))
}

/** For an index its table; the index itself where its table is not known. */
function relationOf({ table, index }: Effect, tables: Tables) {
  return table ?? (index && (tables.tableOf(index) ?? index))
}

function targetOf([effect]: readonly Effect[], tables: Tables): Target {
  const relation = effect && relationOf(effect, tables)
  if (relation === undefined) return { state: "unnamed" }
  const target = tables.target(relation)
  const creates = effect?.rule === "create-table" || effect?.rule === "create-table-as"
  return creates && target.state === "absent" ? { state: "new" } : target
}

function merged(all: readonly Effect[], table: string | undefined, target: Target): Work {
  const harmless = target.state === "new" || target.state === "absent"
  return {
    rules: unique(all.map(({ rule }) => rule)),
    lock: strongest(all),
    table,
    target,
    rewrites: harmless ? false : worst(all.map(({ rewrites }) => rewrites)),
    scans: harmless ? false : worst(all.map(({ scans }) => scans)),
    costs: harmless ? [] : costsOf(all),
    destroys: harmless ? [] : unique(all.flatMap(({ destroys }) => destroys ?? [])),
    safer: harmless ? [] : unique(all.flatMap(({ safer }) => safer ?? [])),
  }
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
