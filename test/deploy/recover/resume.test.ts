import { expect, test } from "vitest"
import { digestOf, failureLog, readLog, stepsLog } from "../../../src/deploy/recover/resume.js"
import { statementsOf } from "../context.js"

const sql = "UPDATE a SET n = 1;\nVACUUM a;\nUPDATE a SET n = 2;"

test("a row's logs are read back: the steps, the digest, and that the next statement may have been interrupted", async () => {
  const statements = await statementsOf(sql)
  expect(readLog(stepsLog(statements, 2))).toEqual({ steps: 2, digest: digestOf(statements, 2), next: "interrupted" })
})

test("after a refusal they record that the next statement is not done", async () => {
  const statements = await statementsOf(sql)
  const [, vacuum] = statements
  if (vacuum === undefined) throw new Error("no second statement")
  const log = failureLog({ name: "x", statements, failed: vacuum, steps: 1 }, { code: "55P03", message: "no" })
  expect(readLog(log)).toEqual({ steps: 1, digest: digestOf(statements, 1), next: "refused" })
})

test("logs that are not Lockstep's cannot be resumed from", () => {
  expect(readLog(null)).toBeUndefined()
  expect(readLog("A migration failed to apply.")).toBeUndefined()
})

test("the digest changes with the statements that are done, and with nothing else", async () => {
  const digest = digestOf(await statementsOf(sql), 1)
  expect(digestOf(await statementsOf(`-- a comment\n${sql}SELECT 1;`), 1)).toBe(digest)
  expect(digestOf(await statementsOf(sql.replace("n = 1", "n = 7")), 1)).not.toBe(digest)
})
