import { afterAll, beforeAll, expect, test } from "vitest"
import { scriptEffects } from "../../src/sql/effects.js"
import { parseScript } from "../../src/sql/parse.js"
import { openShop, type Shop } from "./observed.js"

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
})

afterAll(() => shop.close())

async function rulesOf(source: string) {
  const script = await parseScript(source)
  if (script.kind === "unparsed") throw new Error(script.message)
  return scriptEffects(script).map((effects) => effects.map(({ rule, table }) => `${rule} ${table?.name ?? ""}`.trim()))
}

const refund = `
  CREATE TABLE "Refund" ("id" int NOT NULL, "userId" int);
  CREATE INDEX "Refund_userId_idx" ON "Refund" ("userId");
  ALTER TABLE "Refund" ADD CONSTRAINT "refunded" FOREIGN KEY ("userId") REFERENCES "User" ("id")`

test("what is done to a table that the script creates is left out", async () => {
  expect(await rulesOf(refund)).toEqual([["create-table Refund"], [], ["referenced-by-new-column User"]])
})

test("the table that a new one references is locked, but not scanned", async () => {
  const user = (await shop.measure(refund)).find(({ name }) => name === "User")
  expect(user).toMatchObject({ lock: "SHARE ROW EXCLUSIVE", scans: false })
})

test("what is done before the table is created counts", async () => {
  const source = `DROP TABLE "Refund"; CREATE TABLE "Refund" ("id" int); TRUNCATE "Refund"; TRUNCATE shop."Other"`
  expect(await rulesOf(source)).toEqual([["drop-table Refund"], ["create-table Refund"], [], ["truncate Other"]])
})

test("a table that may have existed is not new", async () => {
  const source = `CREATE TABLE IF NOT EXISTS "Refund" ("id" int); CREATE INDEX ON "Refund" ("id")`
  expect(await rulesOf(source)).toEqual([["create-table Refund"], ["create-index Refund"]])
})
