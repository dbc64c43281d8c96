import type { DiffTarget } from "@prisma/schema-engine-wasm/schema_engine_bg"
import { LockstepError } from "../errors.js"
import { betweenRefusal } from "../history/adoption.js"
import { compare } from "../history/compare.js"
import type { Folder, FolderMigration } from "../history/folder.js"
import { fullName } from "../history/names.js"
import { readHistory } from "../history/recorded.js"
import { replacedNames } from "../history/squash.js"
import { type CatalogDifference, compareCatalogs } from "../postgres/catalog.js"
import { type Client, connect } from "../postgres/connect.js"
import { readCatalogs } from "../postgres/schemas.js"
import type { DatabaseUrl } from "../postgres/url.js"
import type { SchemaFiles } from "../project/schema.js"
import { container, type Diff, type EngineSetting, historyList, withEngine } from "../schema-engine/engine.js"
import { withHistory } from "../scratch/history.js"
import { type Step, stepsOf, withReplayed } from "../scratch/replay.js"
import { schemasMadeBy } from "../scratch/schemas.js"
import { notSeen, objectScript, objectSummary } from "./object-diff.js"
import { unqualified } from "./undo-file.js"

/** One side of a comparison. */
export type Side =
  | { readonly side: "empty" }
  | { readonly side: "database" }
  | { readonly side: "schema" }
  /** The folder, replayed on a scratch database; up to the named migration, that one included. */
  | { readonly side: "history"; readonly upTo?: string | undefined }

/** A side as it is written: history, history@NAME, schema, database or empty. Errors: L1301 it is none of them. */
export function sideOf(operand: string): Side {
  const [side, upTo] = operand.split("@", 2)
  if (side === "history") return { side, upTo }
  if ((side === "schema" || side === "database" || side === "empty") && upTo === undefined) return { side }
  throw new LockstepError("L1301", `${operand} is none of history, history@NAME, schema, database, empty`)
}

interface Comparison extends EngineSetting {
  readonly from: Side
  readonly to: Side
  /** SQL that leads from one to the other, or a summary for people. */
  readonly form: "script" | "summary"
  readonly folder?: Folder | undefined
  readonly schemaFiles?: SchemaFiles | undefined
}

/** What leads from one state to another. */
export interface Difference extends Diff {
  /** Migrations that the database does not have yet: what they will change is no difference between it and its history. */
  readonly pending: readonly string[]
}

/**
 * What leads from one state to another. Between a history and a database, or two histories, that includes what Prisma's
 * engine does not see: views, functions, triggers, policies, checks, indexes on expressions.
 * Errors: L1107 no such migration, L1301 a side's source was not given, L1851 the database is in between.
 */
export async function diff(comparison: Comparison): Promise<Difference> {
  const { from, to } = comparison
  if (from.side === to.side && from.side !== "history") return { empty: true, text: "", pending: [] }
  const pending = await pendingIn(comparison)
  const replayed = [from, to].find(({ side }) => side === "history")
  const steps = replayed?.side === "history" ? stepsIn(replayed, comparison, pending) : []
  return await withHistory(comparison, steps, (setting) => diffBetween(setting, pending))
}

async function diffBetween(comparison: Comparison, pending: readonly string[]): Promise<Difference> {
  const { from, to, form } = comparison
  const [source, target] = [targetOf(from, comparison, pending), targetOf(to, comparison, pending)]
  const byEngine = await withEngine(comparison, comparison.schemaFiles, (engine) => engine.diff(source, target, form))
  const objects = await objectsBetween(comparison, pending, byEngine)
  if (objects === undefined) return { ...byEngine, pending }
  const isEmpty = byEngine.empty && objects.onlyFirst.length + objects.onlySecond.length === 0
  const engineText = byEngine.empty ? "" : byEngine.text
  const text =
    form === "script"
      ? await unqualified(objectScript(objects, engineText), comparison.url.schema)
      : [engineText.trimEnd(), objectSummary(objects)].filter(Boolean).join("\n\n")
  return { empty: isEmpty, text: isEmpty ? byEngine.text : `${text}\n`, pending }
}

/**
 * The folder's migrations that a database with a history does not have, where it is compared with the whole history.
 * Errors: L1851 it has some of what a squashed migration replaces.
 */
async function pendingIn({ from, to, folder, url }: Comparison): Promise<readonly string[]> {
  const sides = [from, to]
  const isWhole = sides.some((each) => each.side === "history" && each.upTo === undefined)
  if (!isWhole || !sides.some(({ side }) => side === "database") || folder === undefined) return []
  return await withClient(url, async (client) => {
    const rows = await readHistory(client, url.schema)
    if (rows === undefined) return []
    const { applied, inBetween } = compare(folder.migrations, rows)
    const [between] = inBetween
    if (between !== undefined) throw betweenRefusal(between)
    const has = new Set(applied.map(({ name }) => name))
    return folder.migrations.flatMap(({ name }) => (has.has(name) ? [] : [name]))
  })
}

/** What the catalogs of both sides differ in beside what the engine says; undefined where one of them is no database. */
async function objectsBetween(
  comparison: Comparison,
  pending: readonly string[],
  byEngine: Diff,
): Promise<CatalogDifference | undefined> {
  const { from, to, external } = comparison
  if (![from, to].every(({ side }) => side === "history" || side === "database")) return undefined
  const steps = (side: Side) => (side.side === "history" ? stepsIn(side, comparison, pending) : [])
  const schemas = await schemasMadeBy([...steps(from), ...steps(to)], comparison.url.schema)
  const catalogOf = async ({ side }: Side, replayed: readonly Step[]) =>
    side === "history"
      ? await withReplayed(comparison, replayed, ({ client }) => readCatalogs(client, schemas))
      : await withClient(comparison.url, (client) => readCatalogs(client, schemas))
  const [first, second] = [await catalogOf(from, steps(from)), await catalogOf(to, steps(to))]
  return notSeen({
    ...compareCatalogs(first, second),
    engine: byEngine.empty ? "equal" : "different",
    external: [...(external?.tables ?? []), ...(external?.enums ?? [])],
  })
}

async function withClient<T>(url: DatabaseUrl, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(url)
  return await work(client).finally(() => client.end())
}

function targetOf(side: Side, comparison: Comparison, pending: readonly string[]): DiffTarget {
  const { schemaFiles, folder, initShadowDb } = comparison
  switch (side.side) {
    case "empty":
      return { tag: "empty" }
    case "database":
      return { tag: "schemaDatasource", ...container(schemaFiles ?? noModels), configDir: "" }
    case "schema":
      return { tag: "schemaDatamodel", ...container(given("the schema", schemaFiles)) }
    case "history": {
      const { dir } = given("the migrations folder", folder)
      return { tag: "migrations", ...historyList(dir, stepsIn(side, comparison, pending), initShadowDb) }
    }
  }
}

/** The migrations of a history that count. */
function stepsIn(
  { upTo }: Extract<Side, { side: "history" }>,
  { folder }: Comparison,
  pending: readonly string[],
): readonly Step[] {
  const { migrations } = given("the migrations folder", folder)
  const end = upTo === undefined ? migrations.length : indexOfMigration(migrations, upTo) + 1
  const waiting = new Set(upTo === undefined ? pending : [])
  return stepsOf(migrations.slice(0, end).filter(({ name }) => !waiting.has(name)))
}

/** The engine requires a schema even where only the database is compared. */
export const noModels: SchemaFiles = [
  { path: "schema.prisma", content: 'datasource db {\n  provider = "postgresql"\n}\n' },
]

function given<T>(what: string, value: T | undefined): T {
  if (value !== undefined) return value
  throw new LockstepError("L1301", `${what} is needed for this comparison`)
}

/** The index of a migration, by its name or the beginning of it. Errors: L1107 there is none, L1710 several begin so. */
export function indexOfMigration(migrations: readonly FolderMigration[], name: string): number {
  const names = migrations.map((migration) => migration.name)
  const index = names.indexOf(fullName(name, names))
  if (index >= 0) return index
  const by = migrations.find(({ squash }) => replacedNames(squash?.replaces ?? []).some((one) => one.startsWith(name)))
  throw new LockstepError("L1107", `there is no migration ${name} in the folder`, {
    hint: by && `It is one of those that the squashed ${by.name} replaces; what they made one by one is in git.`,
    state: "nothing was touched.",
    next: "`lockstep status` lists the names",
  })
}
