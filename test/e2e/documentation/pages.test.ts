import { join } from "node:path"
import { expect, test } from "vitest"
import { repository } from "../../support/cli.js"
import { commandsPage, errorsPage } from "./render.js"
import { checksPage } from "./render-checks.js"
import { doctorPage } from "./render-doctor.js"
import { jsonPage } from "./render-json.js"
import { lockRulesPage } from "./render-lock-rules.js"

// Stale? npx vitest run test/e2e/documentation --update=all
const page = (name: string) => join(repository, "docs", name)

test("docs/errors.md lists every error code", async () => {
  await expect(errorsPage()).toMatchFileSnapshot(page("errors.md"))
})

test("docs/commands.md describes every command and option", async () => {
  await expect(await commandsPage()).toMatchFileSnapshot(page("commands.md"))
})

test("docs/doctor.md describes every question of the doctor", async () => {
  await expect(doctorPage()).toMatchFileSnapshot(page("doctor.md"))
})

test("docs/json.md describes every --json answer", async () => {
  await expect(jsonPage()).toMatchFileSnapshot(page("json.md"))
})

test("docs/lock-rules.md lists every rule of a lock", async () => {
  await expect(lockRulesPage()).toMatchFileSnapshot(page("lock-rules.md"))
})

test("docs/checks.md describes every check, with its examples", async () => {
  await expect(checksPage()).toMatchFileSnapshot(page("checks.md"))
})
