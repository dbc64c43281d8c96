import type { DiffTarget } from "@prisma/schema-engine-wasm/schema_engine_bg"
import { LockstepError } from "../errors.js"
import { type Folder, fullName } from "../history/folder.js"
import type { SchemaFiles } from "../project/schema.js"
import { container, type Diff, type EngineSetting, historyList, withEngine } from "../schema-engine/engine.js"
import { stepsOf } from "../scratch/replay.js"

/** One side of a comparison. */
export type Side =
  | { readonly side: "empty" }
  | { readonly side: "database" }
  | { readonly side: "schema" }
  /** The folder, replayed on a scratch database; up to the named migration, that one included. */
  | { readonly side: "history"; readonly upTo?: string | undefined }

interface Comparison extends EngineSetting {
  readonly from: Side
  readonly to: Side
  /** SQL that leads from one to the other, or a summary for people. */
  readonly form: "script" | "summary"
  readonly folder?: Folder | undefined
  readonly schemaFiles?: SchemaFiles | undefined
}

/** What leads from one state to another. Errors: L1107 no such migration, L1301 a side's source was not given. */
export async function diff(comparison: Comparison): Promise<Diff> {
  const { from, to, form } = comparison
  if (from.side === to.side && from.side !== "history") return { empty: true, text: "" }
  const [source, target] = [targetOf(from, comparison), targetOf(to, comparison)]
  return await withEngine(comparison, comparison.schemaFiles, (engine) => engine.diff(source, target, form))
}

function targetOf(side: Side, { schemaFiles, folder, initShadowDb }: Comparison): DiffTarget {
  switch (side.side) {
    case "empty":
      return { tag: "empty" }
    case "database":
      return { tag: "schemaDatasource", ...container(schemaFiles ?? noModels), configDir: "" }
    case "schema":
      return { tag: "schemaDatamodel", ...container(given("the schema", schemaFiles)) }
    case "history": {
      const { dir, migrations } = given("the migrations folder", folder)
      const end = side.upTo === undefined ? migrations.length : indexOfMigration(migrations, side.upTo) + 1
      return { tag: "migrations", ...historyList(dir, stepsOf(migrations.slice(0, end)), initShadowDb) }
    }
  }
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
export function indexOfMigration(migrations: readonly { readonly name: string }[], name: string): number {
  const names = migrations.map((migration) => migration.name)
  const index = names.indexOf(fullName(name, names))
  if (index >= 0) return index
  throw new LockstepError("L1107", `there is no migration ${name} in the folder`, {
    state: "nothing was touched.",
    next: "`lockstep status` lists the names",
  })
}
