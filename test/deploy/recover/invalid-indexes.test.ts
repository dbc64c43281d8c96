import { expect, test } from "vitest"
import { indexState, leftBehind, passedOver } from "../../../src/deploy/recover/invalid-indexes.js"
import { statementOf, testDeploy } from "../context.js"

const table = "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)"
const build = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_id ON t (id)"
const index = { schema: undefined, name: "t_id" }

/** A table with the invalid index of a build that failed. */
async function failedBuild() {
  const { client } = await testDeploy(table)
  await expect(client.query(build)).rejects.toThrow("could not create unique index")
  return client
}

test("an index is absent, valid or invalid", async () => {
  const { client } = await testDeploy(table)
  expect(await indexState(client, index)).toBe("absent")
  await client.query("CREATE INDEX t_id ON t (id)")
  expect(await indexState(client, index)).toBe("valid")
  expect(await indexState(await failedBuild(), index)).toBe("invalid")
})

test("what a failed build left behind is named, and who removes it", async () => {
  const client = await failedBuild()
  expect(await leftBehind(client, await statementOf(build))).toBe(
    'It left the invalid index "t_id", which --resume drops.',
  )
  const nameless = await statementOf("CREATE INDEX CONCURRENTLY ON t (id)")
  expect(await leftBehind(client, nameless)).toBe("It left the invalid index public.t_id, to be dropped by hand.")
  await client.query("DROP INDEX t_id")
  expect(await leftBehind(client, await statementOf(build))).toBeUndefined()
  expect(await leftBehind(client, await statementOf("VACUUM t"))).toBeUndefined()
})

test("IF NOT EXISTS that passes over an invalid index is found", async () => {
  const client = await failedBuild()
  await client.query(build)
  expect(await passedOver(client, await statementOf(build))).toMatchObject({ name: "t_id" })
  await client.query("DROP INDEX t_id; CREATE INDEX t_id ON t (id)")
  expect(await passedOver(client, await statementOf(build))).toBeUndefined()
})
