import { describe, expect, test } from "vitest"
import { mayHoldTransactions, unpaired } from "../../src/sql/classify.js"
import { parseScript } from "../../src/sql/parse.js"

async function found(source: string) {
  const script = await parseScript(source)
  if (script.kind === "unparsed") throw new Error(script.message)
  const wrong = unpaired(script.statements)
  return wrong && `${wrong.statement.line}:${wrong.statement.column} ${wrong.problem}`
}

describe("in pairs", () => {
  test.each([
    `SELECT 1; BEGIN; SELECT 2; COMMIT; SELECT 3; START TRANSACTION; ROLLBACK`,
    `BEGIN WORK; END; BEGIN; ABORT`,
    `BEGIN; BEGIN; COMMIT`,
    `BEGIN; COMMIT AND CHAIN; SELECT 1; ROLLBACK AND CHAIN; COMMIT AND NO CHAIN`,
    `BEGIN; SAVEPOINT a; ROLLBACK TO a; RELEASE a; COMMIT`,
    `BEGIN; PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x'`,
    `BEGIN; DO $$ BEGIN NULL; END $$; COMMIT`,
  ])("%s", async (source) => {
    expect(mayHoldTransactions(source)).toBe(true)
    expect(await found(source)).toBeUndefined()
  })
})

describe("not in pairs", () => {
  test.each([
    ["SELECT 1;\nCOMMIT", "2:1 COMMIT outside of a transaction"],
    ["end", "1:1 end outside of a transaction"],
    ["/* */ABORT", "1:6 ABORT outside of a transaction"],
    ["SELECT 1;ROLLBACK--", "1:10 ROLLBACK outside of a transaction"],
    ["BEGIN; COMMIT; COMMIT", "1:16 COMMIT outside of a transaction"],
    ["BEGIN; BEGIN; COMMIT; COMMIT", "1:23 COMMIT outside of a transaction"],
    ["COMMIT AND\nCHAIN", "1:1 COMMIT AND CHAIN outside of a transaction"],
    ["SAVEPOINT a; BEGIN; COMMIT", "1:1 SAVEPOINT a outside of a transaction"],
    ["PREPARE TRANSACTION 'x'", "1:1 PREPARE TRANSACTION 'x' outside of a transaction"],
    [
      "BEGIN; COMMIT; START\tTRANSACTION; SELECT 1",
      "1:16 START TRANSACTION begins a transaction that the file does not end",
    ],
    ["BEGIN; COMMIT AND CHAIN", "1:8 COMMIT AND CHAIN begins a transaction that the file does not end"],
    ["\ufeffBEGIN; BEGIN", "1:1 BEGIN begins a transaction that the file does not end"],
  ])("%j", async (source, problem) => {
    expect(mayHoldTransactions(source)).toBe(true)
    expect(await found(source)).toBe(problem)
  })
})

test("names with such words are not taken for transactions", () => {
  const source = `CREATE TABLE "Order" ("begin" date, "end" date, start_at date, weekend int);`
  expect(mayHoldTransactions(source)).toBe(false)
})
