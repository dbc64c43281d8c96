import { expect, test } from "vitest"
import { settingStatements } from "../../src/deploy/apply/session.js"
import { digestOf, failureLog, readLog, stepsLog } from "../../src/deploy/recover/row-log.js"
import { parseScript, type Statement } from "../../src/sql/parse.js"

async function statementsOf(sql: string): Promise<readonly Statement[]> {
  const script = await parseScript(sql)
  if (script.kind !== "script") throw new Error(script.message)
  return script.statements
}

const sql = "UPDATE a SET n = 1;\nVACUUM a;\nUPDATE a SET n = 2;"

test("what a row's logs say is read back: the steps, the digest, and that the next statement is in doubt", async () => {
  const statements = await statementsOf(sql)
  expect(readLog(stepsLog(statements, 2))).toEqual({ steps: 2, digest: digestOf(statements, 2), next: "in doubt" })
})

test("after a refusal they say that the next statement is not done", async () => {
  const statements = await statementsOf(sql)
  const [, vacuum] = statements
  if (vacuum === undefined) throw new Error("no second statement")
  const log = failureLog({ name: "x", statement: vacuum, of: statements }, { code: "55P03", message: "no", steps: 1 })
  expect(readLog(log)).toEqual({ steps: 1, digest: digestOf(statements, 1), next: "refused" })
})

test("logs that are not Lockstep's are nobody's to go on with", () => {
  expect(readLog(null)).toBeUndefined()
  expect(readLog("A migration failed to apply.")).toBeUndefined()
})

test("the digest changes with the statements that are done, and with nothing else", async () => {
  const digest = digestOf(await statementsOf(sql), 1)
  expect(digestOf(await statementsOf(`-- a comment\n${sql}SELECT 1;`), 1)).toBe(digest)
  expect(digestOf(await statementsOf(sql.replace("n = 1", "n = 7")), 1)).not.toBe(digest)
})

test("what is set for the session is set again when a migration is gone on with; what is set for a transaction is not", async () => {
  const statements = await statementsOf(
    "SET search_path = shop; SET LOCAL lock_timeout = 1; SELECT pg_catalog.set_config('role', 'x', false); SELECT 1; UPDATE a SET n = 1;",
  )
  expect(settingStatements(statements)).toEqual([
    "SET search_path = shop",
    "SELECT pg_catalog.set_config('role', 'x', false)",
  ])
})
