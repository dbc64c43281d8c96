import { readFile, writeFile } from "node:fs/promises"
import { expect, test } from "vitest"
import { lockRulesPage } from "../../src/sql/rules/page.js"

const page = new URL("../../docs/lock-rules.md", import.meta.url)

test("docs/lock-rules.md is fresh; UPDATE_DOCS=1 writes it", async () => {
  if (process.env.UPDATE_DOCS) await writeFile(page, lockRulesPage())
  expect(await readFile(page, "utf8")).toBe(lockRulesPage())
})
