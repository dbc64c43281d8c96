import { type CatalogObject, compareCatalogs, readPrivileges } from "../../postgres/catalog.js"
import type { Client } from "../../postgres/connect.js"
import { distinct, readCatalogs, schemasOf } from "../../postgres/schemas.js"
import { withReplayed } from "../../scratch/replay.js"
import { defineCheck, type Problem } from "../check.js"
import type { Database } from "../resources.js"
import { majorVersion, type Scratch } from "../scratch.js"

const init = 'CREATE TABLE "Order" ("id" int PRIMARY KEY);\nCREATE VIEW "Orders" AS SELECT "id" FROM "Order";\n'

/** The database is what its applied migrations make, and nothing else. */
export const drift = defineCheck({
  id: "schema/drift",
  title: "the database is not what its history makes",
  why: "What was changed by hand is in no other database: the next one lacks it, a migration fails on it, and nobody knows why. Prisma's engine does not see views, functions, triggers, policies, grants, extensions and partitions; this check does, in the schema of the URL and in every other one that the history makes something in. Differences that are meant are named in package.json under known, each with the reason.",
  level: "error",
  needs: ["folder", "database", "scratch"],
  examples: {
    fails: { base: { "20260101000000_init": init }, branch: {}, database: 'DROP VIEW "Orders"' },
    passes: { base: { "20260101000000_init": init }, branch: {} },
  },
  run: async ({ database, scratch }) => {
    const { schemas, objects } = await historyCatalog(database, scratch)
    const live = await database.read((client) => wholeCatalog(client, schemas))
    const { onlyFirst: missing, onlySecond: unexpected } = compareCatalogs(objects, live)
    return [...differences(missing, unexpected)]
  },
})

/** PostgreSQL writes definitions otherwise in another version, so that the target's own server is the better one then. */
async function historyCatalog(database: Database, scratch: Scratch): Promise<HistoryCatalog> {
  const version = await database.read(majorVersion)
  const { setting } = scratch
  const place = version === scratch.version ? setting : { ...setting, url: database.url, history: undefined }
  const steps = database.comparison.applied.map(({ migration: { name, text: sql } }) => ({ name, sql }))
  return await withReplayed(place, steps, async ({ client, schema }) => {
    const schemas = await schemasOf(client, schema)
    return { schemas, objects: await wholeCatalog(client, schemas) }
  })
}

/** What a history makes, and in which schemas. */
interface HistoryCatalog {
  readonly schemas: readonly string[]
  readonly objects: readonly CatalogObject[]
}

async function wholeCatalog(client: Client, schemas: readonly string[]): Promise<readonly CatalogObject[]> {
  const privileges: CatalogObject[] = []
  for (const schema of schemas) privileges.push(...(await readPrivileges(client, schema)))
  return distinct([...(await readCatalogs(client, schemas)), ...privileges])
}

const idOf = ({ kind, name }: CatalogObject): string => `${kind} ${name}`

/** One problem an object; of a table that is missing or unexpected as a whole, none for what belongs to it. */
function* differences(missing: readonly CatalogObject[], unexpected: readonly CatalogObject[]): Generator<Problem> {
  const [gone, found] = [missing, unexpected].map((all) => new Map(all.map((one) => [idOf(one), one])))
  const isWhole = wholeTables(missing, unexpected)
  for (const [id, object] of [...(gone ?? []), ...(found ?? [])].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    if (isWhole(object)) continue
    const [before, now] = [gone?.get(id), found?.get(id)]
    if (before !== undefined && now === object) continue
    yield { message: sentence(id, before, now), object: id, next: nextFor(id) }
  }
}

function sentence(id: string, before: CatalogObject | undefined, now: CatalogObject | undefined): string {
  if (now === undefined) return `${id} is made by the history and is not in the database.`
  if (before === undefined) return `${id} is in the database and is not made by the history.`
  return `${id} differs. The history makes: ${inShort(before)}\nThe database has: ${inShort(now)}`
}

const longest = 300

function inShort({ definition }: CatalogObject): string {
  const line = definition.replaceAll(/\s+/g, " ").trim()
  if (line === "") return "(nothing)"
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line
}

const nextFor = (id: string): string =>
  `write a migration that makes the difference, undo it in the database, or name it in package.json: "schema/drift": { "known": { ${JSON.stringify(id)}: "the reason" } }`

/** Whether an object belongs to a table that only one side has. */
function wholeTables(missing: readonly CatalogObject[], unexpected: readonly CatalogObject[]) {
  const tablesOf = (all: readonly CatalogObject[]) =>
    new Set(all.flatMap(({ kind, name }) => (kind === "table" ? [name] : [])))
  const [gone, found] = [tablesOf(missing), tablesOf(unexpected)]
  const names = [...gone].filter((name) => !found.has(name)).concat([...found].filter((name) => !gone.has(name)))
  return ({ kind, name, definition }: CatalogObject): boolean =>
    kind !== "table" &&
    names.some(
      (table) =>
        name.startsWith(`${table}.`) ||
        (kind === "index" && definition.includes(` ON ${table} `)) ||
        (kind === "grant" && name.startsWith(`${table} `)),
    )
}
