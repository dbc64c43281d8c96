import type { Folder } from "../history/folder.js"
import { adopt } from "../history/resolve.js"
import { type PlanRequest, planMigrations } from "../plan/plan.js"
import type { Plan, PlannedMigration, Target, Work } from "../plan/planned.js"
import { withDatabase } from "../postgres/url.js"
import type { Project } from "../project/project.js"
import { stepsOf, withReplayed } from "../scratch/replay.js"
import type { Changes, Database } from "./resources.js"
import type { Scratch } from "./scratch.js"
import { findSizes, type Sizes } from "./sizes.js"

/** What the branch's migrations will do, and the sizes of the tables to which they do it. */
export interface ChangesPlan {
  readonly migrations: readonly PlannedMigration[]
  readonly sizes: Sizes
  /** The whole of it; undefined where the branch has no migrations of its own. */
  readonly plan: Plan | undefined
}

/** What is planned, and for which database. */
export interface PlanSource {
  readonly project: Project
  readonly folder: Folder
  readonly changes: Changes
  readonly database: Database | undefined
  readonly keeps: PlanRequest["keeps"]
}

/** Plans the branch's migrations on a scratch database in which all others are applied. */
export async function planChanges(source: PlanSource, { setting }: Scratch): Promise<ChangesPlan> {
  const { project, folder, changes, database, keeps } = source
  const sizes = await findSizes(project, database, setting.url.schema)
  if (changes.migrations.length === 0) return { migrations: [], sizes, plan: undefined }
  return await withReplayed(setting, stepsOf(changes.before), async ({ client, schema }) => {
    await adopt(client, schema, changes.before)
    const { rows } = await client.query<{ name: string }>("SELECT current_database() AS name")
    const url = withDatabase(setting.url, rows[0]?.name ?? "")
    const migrations = [...changes.before, ...changes.migrations]
    const scratch = { root: project.root, shadowUrl: setting.url, initShadowDb: setting.initShadowDb }
    const found = await planMigrations({ url, folder: { ...folder, migrations }, scratch, keeps })
    const plan = { ...found, migrations: found.migrations.map((one) => ofSizes(one, sizes)) }
    return { migrations: plan.migrations, sizes, plan }
  })
}

/** The tables that were planned on are empty; those where the migrations will be deployed have these sizes. */
function ofSizes(migration: PlannedMigration, sizes: Sizes): PlannedMigration {
  const statements = migration.statements.map((statement) => ({
    ...statement,
    work: statement.work.map((work) => ({ ...work, target: sized(work, sizes) })),
  }))
  return { ...migration, statements }
}

function sized({ table, target }: Work, sizes: Sizes): Target {
  if (target.state !== "existing") return target
  const size = table === undefined ? undefined : sizes.of(table)
  return { ...target, rows: size?.rows ?? undefined, bytes: size?.bytes }
}
