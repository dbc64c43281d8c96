import { expect, test } from "vitest"
import { createDatabase } from "../support/postgres.js"

test("every test gets a database of its own", async () => {
  const one = await createDatabase()
  const other = await createDatabase()
  await one.query("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
  expect(await one.query("SELECT id FROM t WHERE id = $1", [1])).toEqual([{ id: 1 }])
  expect(await other.query("SELECT to_regclass('t') AS t")).toEqual([{ t: null }])
})
