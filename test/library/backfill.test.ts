import { expect, test } from "vitest"
import { backfill, deploy, status } from "../../src/index.js"
import { createDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"

test("the backfills beside a folder are run, all or those that are named, once", async () => {
  const database = await createDatabase()
  const { migrationsDir: migrations } = createProject({
    migrations: { "20260101000000_init": "CREATE TABLE item (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)" },
    files: {
      "prisma/backfills/1_first.sql": "UPDATE item SET n = n + 1",
      "prisma/backfills/2_second.sql": "UPDATE item SET n = n + 10",
    },
  })
  const source = { url: database.url, migrations }
  await deploy(source)
  await database.query("DELETE FROM _lockstep.backfills; INSERT INTO item SELECT generate_series(1, 50)")
  const events: string[] = []
  const first = await backfill({ ...source, names: ["1"], batch: 20, onEvent: ({ event }) => events.push(event) })
  expect(first).toMatchObject({ finished: ["1_first"], finishedBefore: [] })
  expect(events).toEqual(["began", "started", "finished"])
  expect(await status(source)).toMatchObject({
    backfills: [
      { name: "1_first", state: "finished" },
      { name: "2_second", state: "not started" },
    ],
  })
  expect(await backfill(source)).toMatchObject({ finished: ["2_second"], finishedBefore: ["1_first"] })
  expect(await database.query("SELECT DISTINCT n FROM item")).toEqual([{ n: 11 }])
  await expect(backfill({ ...source, names: ["3"] })).rejects.toMatchObject({ code: "L2102" })
  const stop = new AbortController()
  stop.abort()
  await expect(backfill({ ...source, names: ["1"], restart: true, signal: stop.signal })).rejects.toMatchObject({
    code: "L1001",
  })
})
