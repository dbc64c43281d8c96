import { type Failure, failuresOf, type KnownModel, knownModels, newRowFailures } from "../../client/compatibility.js"
import { generateClientOf } from "../../client/generate.js"
import { type ClientGenerator, clientGenerators, loadClient } from "../../client/module.js"
import { byName, type FolderMigration } from "../../history/folder.js"
import type { DatabaseUrl } from "../../postgres/url.js"
import { withDatabase } from "../../postgres/url.js"
import type { Project } from "../../project/project.js"
import { withScratchDatabase } from "../../scratch/database.js"
import { replay, type Step, stepsOf } from "../../scratch/replay.js"
import type { Session } from "../../scratch/script.js"
import type { Base } from "../base.js"
import { defineCheck } from "../check.js"
import { breaksOf, type State } from "./breaks.js"

const schema = (fields: string) => `generator client {
  provider = "prisma-client"
  output   = "../generated"
}

datasource db {
  provider = "postgresql"
}

model User {
  id   Int    @id
${fields}}
`
const init = { "20260101000000_init": 'CREATE TABLE "User" ("id" INTEGER PRIMARY KEY, "name" TEXT NOT NULL);\n' }
const base = { "schema.prisma": schema("  name String\n"), ...init }

/** The last release's client works on the branch's schema, because old pods run on it during a rolling release. */
export const compat = defineCheck({
  id: "client/compat",
  title: "the base's client does not work on the branch's schema",
  why: "During a rolling release the old pods work on the new schema, until the last of them is replaced. The client that is generated from the base's schema reads, creates and updates a row of every model on a scratch database with the branch's migrations: what fails there fails in those pods.",
  level: "error",
  needs: ["base", "changes", "scratch"],
  covers: ["renaming-column", "renaming-table", "adding-required-field"],
  examples: {
    fails: {
      base,
      branch: {
        "schema.prisma": schema(""),
        "20260102000000_drop_name": 'ALTER TABLE "User" DROP COLUMN "name";\n',
      },
    },
    passes: {
      base,
      branch: {
        "schema.prisma": schema("  name String\n  nick String?\n"),
        "20260102000000_nick": 'ALTER TABLE "User" ADD COLUMN "nick" TEXT;\n',
      },
    },
  },
  run: async ({ base, changes, scratch, project }) => {
    if (changes.migrations.length === 0) return []
    if (clientGenerators(base.schema).length === 0)
      return { skip: `the schema on ${base.ref} has no generator of Prisma Client` }
    const generator = await generateClientOf(project, base.schema)
    return await withScratchDatabase(scratch.setting, async (session) => {
      if (!(await isSuperuser(session))) return { skip: "the role of the scratch server is no superuser" }
      await replay(session, stepsIn(base))
      const url = withDatabase(scratch.setting.url, await databaseOf(session))
      const use: Use = { project, generator, url }
      const before = await tried(use, undefined)
      const states = await replayEach(session, changes.migrations, before.models)
      const after = await tried(use, before.models)
      return breaksOf({ base: base.ref, before: before.failures, after: after.failures, models: before.models, states })
    })
  },
})

const stepsIn = ({ migrations }: Base): readonly Step[] =>
  [...migrations].map(([name, sql]) => ({ name, sql })).toSorted((one, other) => byName(one.name, other.name))

interface Use {
  readonly project: Project
  readonly generator: ClientGenerator
  readonly url: DatabaseUrl
}

/** Uses the client on the database as it is now; the columns that count are those of the first time. */
async function tried({ project, generator, url }: Use, known: readonly KnownModel[] | undefined) {
  const loaded = await loadClient(project.root, generator, url)
  try {
    const models = known ?? (await knownModels(loaded, url.schema))
    const failures: Failure[] = [...(await failuresOf(loaded, models))]
    if (known !== undefined) failures.push(...(await newRowFailures(loaded, models)))
    return { models, failures }
  } finally {
    await loaded.client.$disconnect()
  }
}

async function replayEach(session: Session, migrations: readonly FolderMigration[], models: readonly KnownModel[]) {
  const states: State[] = []
  const schemas = [...new Set(models.map(({ schema }) => schema))]
  for (const migration of migrations) {
    await replay(session, stepsOf([migration]))
    const { rows } = await session.client.query<{ name: string }>({
      text: "SELECT table_schema || '.' || table_name || '.' || column_name AS name FROM information_schema.columns WHERE table_schema = ANY ($1)",
      values: [schemas],
    })
    states.push({ migration, columns: new Set(rows.map(({ name }) => name)) })
  }
  return states
}

async function databaseOf({ client }: Session): Promise<string> {
  const { rows } = await client.query<{ name: string }>("SELECT current_database() AS name")
  return rows[0]?.name ?? ""
}

async function isSuperuser({ client }: Session): Promise<boolean> {
  const { rows } = await client.query<{ superuser: string }>("SELECT current_setting('is_superuser') AS superuser")
  return rows[0]?.superuser === "on"
}
