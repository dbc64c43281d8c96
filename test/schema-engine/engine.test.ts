import { expect, test } from "vitest"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { historyList, openEngine } from "../../src/schema-engine/engine.js"
import { createDatabase } from "../support/postgres.js"

test("a shadow database alone is enough to compare a history", async () => {
  const { url } = await createDatabase()
  const engine = await openEngine({ url: undefined, shadowUrl: parseDatabaseUrl(url) })
  const history = historyList("/none", [{ name: "1_init", sql: "CREATE TABLE t (n int PRIMARY KEY);" }])
  const { text } = await engine.diff({ tag: "empty" }, { tag: "migrations", ...history }, "script")
  await engine.dispose()
  expect(text).toContain('CREATE TABLE "public"."t"')
})
