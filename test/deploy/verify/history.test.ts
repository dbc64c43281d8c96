import { expect, test } from "vitest"
import { verifyHistory } from "../../../src/deploy/verify/verify.js"
import { migration, type TestDeploy, testDeploy } from "../context.js"

const migrations = ["20260101000000_a", "20260102000000_b"].map((name) => migration(name, "SELECT 1;"))

/** Verifies a history of these rows: a name, and whether it is finished. */
async function verified(rows: readonly (readonly [name: string, finished: boolean])[], duplicates: string[] = []) {
  const deploy: TestDeploy = await testDeploy()
  for (const [index, [name, finished]] of rows.entries()) {
    await deploy.database.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('${index}', '${migrations[0]?.checksum}', '${name}', ${finished ? "now()" : "NULL"})`,
    )
  }
  const request = { ...deploy.request, folder: { ...deploy.request.folder, migrations } }
  return await verifyHistory({ ...deploy, request }, { duplicates })
}

const both = [
  ["20260101000000_a", true],
  ["20260102000000_b", true],
] as const

test("a history with every migration applied once is verified", async () => {
  expect(await verified(both)).toBe(2)
})

test("a newer migration that the folder does not have is not counted", async () => {
  expect(await verified([...both, ["20260103000000_c", true]])).toBe(2)
})

test.each([
  ["not recorded", both.slice(0, 1), "20260102000000_b is not recorded"],
  ["recorded as failed", [both[0], ["20260102000000_b", false]], "20260102000000_b is recorded as failed"],
  ["recorded twice", [...both, both[1]], "20260102000000_b is recorded twice"],
] as const)("a migration that is %s is L1030", async (_, rows, hint) => {
  await expect(verified(rows)).rejects.toMatchObject({ code: "L1030", details: { hint } })
})

test("one that was recorded twice before the deploy is none of its failures", async () => {
  expect(await verified([...both, both[1]], ["20260102000000_b"])).toBe(2)
})
