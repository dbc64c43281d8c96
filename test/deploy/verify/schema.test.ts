import { expect, test } from "vitest"
import { applyAll } from "../../../src/deploy/apply/apply.js"
import { verifySchema } from "../../../src/deploy/verify/verify.js"
import { migration, testDeploy } from "../context.js"

const migrations = [migration("20260101000000_a", "SELECT 1;"), migration("20260102000000_b", "SELECT 2;")]

/** A deploy that has applied both, the second one first. */
async function applied(folder = migrations) {
  const deploy = await testDeploy()
  for (const one of migrations.toReversed()) {
    await applyAll(deploy, { apply: [one], resume: undefined }, { applied: [], pending: [] })
  }
  const request = { ...deploy.request, folder: { ...deploy.request.folder, migrations: folder } }
  return { ...deploy, request }
}

test("the migrations are replayed in the order in which they were applied", async () => {
  const deploy = await applied()
  await verifySchema(deploy, async (_, replayed) => {
    expect(replayed).toEqual(migrations.toReversed().map(({ name, text }) => ({ name, sql: text })))
    return { missing: [], unexpected: [] }
  })
  expect(deploy.events.at(-1)).toEqual({ event: "schema-verified", migrations: 2 })
})

test("what differs is L1031, object by object", async () => {
  const drift = { missing: ["table public.a"], unexpected: ["index public.b"] }
  await expect(verifySchema(await applied(), async () => drift)).rejects.toMatchObject({
    code: "L1031",
    message: "the schema has drifted from the history in 2 objects",
    details: { hint: "missing, or different:  table public.a\nnot from the history:   index public.b" },
  })
})

test("a folder without the whole history cannot verify the schema", async () => {
  const findDrift = async () => ({ missing: [], unexpected: [] })
  await expect(verifySchema(await applied(migrations.slice(1)), findDrift)).rejects.toMatchObject({
    code: "L1031",
    details: { hint: "20260101000000_a is recorded in the database, but not in the folder" },
  })
})
