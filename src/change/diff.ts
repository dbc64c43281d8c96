import type { DiffTarget } from "@prisma/schema-engine-wasm/schema_engine_bg"
import { LockstepError } from "../errors.js"
import type { Folder } from "../history/folder.js"
import type { SchemaFiles } from "../project/schema.js"
import { container, type Diff, type EngineSetting, historyList, withEngine } from "../schema-engine/engine.js"
import { type Step, stepsOf } from "../scratch/replay.js"

/** The engine asks for a schema even where only the database counts. */
export const noModels: SchemaFiles = [
  { path: "schema.prisma", content: 'datasource db {\n  provider = "postgresql"\n}\n' },
]

/** One side of a comparison. */
export type Side =
  | { readonly side: "empty" }
  | { readonly side: "database" }
  | { readonly side: "schema" }
  /** The folder, replayed on a shadow database; up to and with the named migration where one is named. */
  | { readonly side: "history"; readonly upTo?: string | undefined }

export interface DiffInput extends EngineSetting {
  readonly from: Side
  readonly to: Side
  /** SQL that leads from one to the other, or a summary for people. */
  readonly form: "script" | "summary"
  readonly folder?: Folder | undefined
  readonly schemaFiles?: SchemaFiles | undefined
}

/**
 * What leads from one state to another. Errors: L1107 no such migration, L1301 a side's source was not given,
 * L1401, L1404 to L1408.
 */
export async function diff(input: DiffInput): Promise<Diff> {
  const { from, to, form } = input
  if (from.side === to.side && from.side !== "history") return { empty: true, text: "" }
  const [source, target] = [targetOf(from, input), targetOf(to, input)]
  return await withEngine(input, input.schemaFiles, (engine) => engine.diff(source, target, form))
}

function targetOf(side: Side, input: DiffInput): DiffTarget {
  switch (side.side) {
    case "empty":
      return { tag: "empty" }
    case "database":
      return { tag: "schemaDatasource", ...container(input.schemaFiles ?? noModels), configDir: "" }
    case "schema":
      return { tag: "schemaDatamodel", ...container(given("the schema", input.schemaFiles)) }
    case "history": {
      const folder = given("the migrations folder", input.folder)
      return { tag: "migrations", ...historyList(folder.dir, upTo(stepsOf(folder), side.upTo), input.initShadowDb) }
    }
  }
}

function given<T>(what: string, value: T | undefined): T {
  if (value !== undefined) return value
  throw new LockstepError("L1301", `${what} is needed for this comparison`)
}

/** The steps up to and with the named one; all without a name. Errors: L1107. */
export function upTo(steps: readonly Step[], name: string | undefined): readonly Step[] {
  return name === undefined ? steps : steps.slice(0, indexOf(steps, name) + 1)
}

/** Where the named migration stands. Errors: L1107. */
export function indexOf(steps: readonly Step[], name: string): number {
  const at = steps.findIndex((step) => step.name === name)
  if (at >= 0) return at
  throw new LockstepError("L1107", `there is no migration ${name} in the folder`, {
    state: "nothing was touched.",
    next: "lockstep status lists the names",
  })
}
