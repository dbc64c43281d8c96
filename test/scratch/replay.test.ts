import { expect, test } from "vitest"
import { connect } from "../../src/postgres/connect.js"
import { keepHistory } from "../../src/scratch/history.js"
import { type Drift, findDrift, stepsOf, withReplayed } from "../../src/scratch/replay.js"
import { createPlace, type Place } from "../schema-engine/setting.js"

const migrations = {
  "20260101000000_init": `CREATE TABLE "User" ("id" INTEGER PRIMARY KEY, "name" TEXT);
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE VIEW v AS SELECT "name" FROM "User";`,
}

async function driftOf(place: Place): Promise<Drift> {
  const client = await connect(place.setting.url)
  return await findDrift(place.setting, client, stepsOf(place.folder().migrations)).finally(() => client.end())
}

test("a database that is what its history makes has no drift", async () => {
  const place = await createPlace(migrations)
  await place.apply()
  expect(await driftOf(place)).toEqual({ missing: [], unexpected: [] })
})

test("changes by hand are found, also those that Prisma does not see", async () => {
  const place = await createPlace(migrations)
  await place.apply()
  await place.database.query(`DROP VIEW v; ALTER TABLE "User" ALTER COLUMN "name" SET NOT NULL;
    CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'`)
  const { missing, unexpected } = await driftOf(place)
  expect(missing).toEqual([
    expect.stringMatching(/^column .*"User"\.name text$/),
    expect.stringMatching(/^function public\.f\(\).*SELECT 1/),
    expect.stringMatching(/^view public\.v/),
  ])
  expect(unexpected).toEqual([
    expect.stringMatching(/^column .*name text NOT NULL$/),
    expect.stringMatching(/^function public\.f\(\).*SELECT 2/),
  ])
})

test("changes by hand are found in every schema that the history makes, and in no other", async () => {
  const audit = `CREATE SCHEMA audit; CREATE VIEW audit.names AS SELECT "name" FROM "User";`
  const place = await createPlace({ ...migrations, "20260102000000_audit": audit })
  await place.apply()
  await place.database.query("CREATE SCHEMA other; CREATE TABLE other.t (); DROP VIEW audit.names")
  expect(await driftOf(place)).toEqual({ missing: [expect.stringMatching(/^view audit\.names/)], unexpected: [] })
})

test("a history that is kept is copied where a longer one begins so, and replayed where none does", async () => {
  const { setting } = await createPlace({})
  const step = (name: string, sql = `CREATE TABLE "${name}" AS SELECT clock_timestamp() AS at`) => ({ name, sql })
  const [first, second, other] = [
    step("first"),
    step("second"),
    step("first", `CREATE TABLE "first" AS SELECT 1 AS at`),
  ]
  const history = await keepHistory({ ...setting, schema: setting.url.schema }, [first])
  const firstOf = (...steps: readonly ReturnType<typeof step>[]) =>
    withReplayed(
      { ...setting, history },
      steps,
      async ({ client }) => (await client.query(`SELECT at FROM "first"`)).rows,
    )
  const kept = await firstOf(first)
  expect(await firstOf(first, second)).toEqual(kept)
  expect(await firstOf(other)).toEqual([{ at: "1" }])
  const fails = step("fails", "SELECT nothing")
  await expect(firstOf(first, fails)).rejects.toMatchObject({ code: "L1406" })
})
