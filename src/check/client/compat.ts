import { failuresOf, type KnownModel, knownModels, newRowFailures } from "../../client/compatibility.js"
import { generateClientOf } from "../../client/generate.js"
import { type ClientGenerator, clientGenerators, type LoadedClient, loadClient } from "../../client/module.js"
import { byName, type FolderMigration } from "../../history/folder.js"
import { type CatalogObject, compareCatalogs, readCatalog } from "../../postgres/catalog.js"
import { type DatabaseUrl, withDatabase } from "../../postgres/url.js"
import type { Project } from "../../project/project.js"
import { replay, type Step, stepsOf, withReplayed } from "../../scratch/replay.js"
import type { Session } from "../../scratch/script.js"
import type { Base } from "../base.js"
import { defineCheck, type Skip } from "../check.js"
import type { Scratch } from "../scratch.js"
import { breaksOf, type State, touchedModels } from "./breaks.js"

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
    const place: Place = { project, generator, scratch, base }
    const after = await onBase(place, async (session, use) => {
      const models = await withClient(use, (loaded) => knownModels(loaded, use.url.schema))
      const states = await replayEach(session, changes.migrations, models)
      const concerned = touchedModels(models, states.difference)
      const failures = await withClient(use, async (loaded) => [
        ...(await failuresOf(loaded, concerned)),
        ...(await newRowFailures(loaded, concerned)),
      ])
      return { models, failures, states: states.states }
    })
    if ("skip" in after) return after
    if (after.failures.length === 0) return []
    // What did not work before either is not the branch's doing.
    const failing = after.models.filter(({ model }) => after.failures.some((one) => one.model === model))
    const before = await onBase(place, (_, use) => withClient(use, (loaded) => failuresOf(loaded, failing)))
    if ("skip" in before) return before
    const { failures, models, states } = after
    return breaksOf({ base: base.ref, before, after: failures, models, states })
  },
})

interface Place {
  readonly project: Project
  readonly generator: ClientGenerator
  readonly scratch: Scratch
  readonly base: Base
}

interface Use extends Pick<Place, "project" | "generator"> {
  readonly url: DatabaseUrl
}

/** Does work on a scratch database that has the base's migrations. */
async function onBase<T>(
  { scratch: { setting }, base, ...rest }: Place,
  work: (session: Session, use: Use) => Promise<T>,
): Promise<T | Skip> {
  return await withReplayed(setting, stepsIn(base), async (session) => {
    if (!(await isSuperuser(session))) return { skip: "the role of the scratch server is no superuser" }
    return await work(session, { ...rest, url: withDatabase(setting.url, await databaseOf(session)) })
  })
}

async function withClient<T>({ project, generator, url }: Use, work: (loaded: LoadedClient) => Promise<T>): Promise<T> {
  const loaded = await loadClient(project.root, generator, url)
  try {
    return await work(loaded)
  } finally {
    await loaded.client.$disconnect()
  }
}

const stepsIn = ({ migrations }: Base): readonly Step[] =>
  [...migrations].map(([name, sql]) => ({ name, sql })).toSorted((one, other) => byName(one.name, other.name))

/** Applies the branch's migrations one by one. */
async function replayEach(session: Session, migrations: readonly FolderMigration[], models: readonly KnownModel[]) {
  const states: State[] = []
  const schemas = [...new Set(models.map(({ schema }) => schema))]
  const before = await catalogs(session, schemas)
  for (const migration of migrations) {
    await replay(session, stepsOf([migration]))
    const { rows } = await session.client.query<{ name: string }>({
      text: "SELECT table_schema || '.' || table_name || '.' || column_name AS name FROM information_schema.columns WHERE table_schema = ANY ($1)",
      values: [schemas],
    })
    states.push({ migration, columns: new Set(rows.map(({ name }) => name)) })
  }
  return { states, difference: compareCatalogs(before, await catalogs(session, schemas)) }
}

async function catalogs({ client }: Session, schemas: readonly string[]): Promise<readonly CatalogObject[]> {
  const found: CatalogObject[] = []
  for (const schema of schemas) found.push(...(await readCatalog(client, schema)))
  return found
}

async function databaseOf({ client }: Session): Promise<string> {
  const { rows } = await client.query<{ name: string }>("SELECT current_database() AS name")
  return rows[0]?.name ?? ""
}

async function isSuperuser({ client }: Session): Promise<boolean> {
  const { rows } = await client.query<{ superuser: string }>("SELECT current_setting('is_superuser') AS superuser")
  return rows[0]?.superuser === "on"
}
