import { expect, test } from "vitest"
import { backfillReporter } from "../../src/report/backfill/run.js"
import { objectsIn } from "../e2e/json.js"
import { openShop, type Shop } from "../support/shop.js"

const init = "20260101000000_init"
const migrations = { [init]: "CREATE TABLE item (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);\n" }
const files = {
  "prisma/backfills/20260102000000_first.sql": `-- lockstep-after: ${init}\nUPDATE item SET n = n + 1 WHERE n < 5;\n`,
  "prisma/backfills/20260103000000_second.sql": "DELETE FROM item WHERE id % 10 = 0;\n",
}

async function filled(): Promise<Shop> {
  const shop = await openShop({ migrations, files, schema: "" })
  await shop.run("deploy")
  await shop.database.query(
    "DELETE FROM _lockstep.backfills; INSERT INTO item SELECT generate_series(1, 100); ANALYZE item",
  )
  return shop
}

test("what would be run is printed with the SQL of a batch, and nothing is changed", async () => {
  const { database, run } = await filled()
  const dry = await run("backfill", "--dry-run", "--batch", "30")
  expect(dry).toMatchObject({ exitCode: 0 })
  expect(dry.stdout).toBe(`20260102000000_first   public.item, about 100 rows, by id, at least 4 batches
    UPDATE item SET n = n + 1 WHERE "item"."id" <= '30'::integer AND (n < 5);

20260103000000_second   public.item, about 100 rows, by id, at least 4 batches
    DELETE FROM item WHERE "item"."id" <= '30'::integer AND (id % 10 = 0);

2 backfills to run. Nothing was changed.`)
  const [plan] = objectsIn((await run("backfill", "--dry-run", "--json")).stdout)
  expect(plan).toMatchObject({ schema: "lockstep.backfill-plan/1", backfills: [{ key: "id", estimated: 100 }, {}] })
  expect(await database.query("SELECT count(*)::int, sum(n)::int FROM item")).toEqual([{ count: 100, sum: 0 }])
})

test("those that are named are run, and the list says where each one stands", async () => {
  const { database, run } = await filled()
  expect(await run("backfill", "--list")).toMatchObject({
    exitCode: 1,
    stdout: expect.stringMatching(
      /first +not started\n.*second +not started\nNot finished: 2 of 2 backfills\. Run them with: /,
    ),
  })
  const done = await run("backfill", "20260103", "--json")
  expect(objectsIn(done.stdout).map((one) => Object(one).event)).toEqual(["began", "started", "finished", "done"])
  expect(await database.query("SELECT count(*)::int, sum(n)::int FROM item")).toEqual([{ count: 90, sum: 0 }])
  const [list] = objectsIn((await run("backfill", "--list", "--json")).stdout)
  expect(list).toMatchObject({
    backfills: [
      { state: "not started", rows: 0, startedAt: null },
      { state: "finished", rows: 10, walked: 100, edited: false, error: null },
    ],
  })
  const rest = await run("backfill", "--format", "junit,json", "--output", "out/")
  expect(rest, rest.all).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^1 backfill finished in .*; 1 backfill finished before\.$/),
  })
  expect(await run("backfill", "--list")).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/Finished: 2 of 2 backfills\.$/),
  })
})

const wrong: readonly (readonly [readonly string[], string])[] = [
  [["third"], "error[L2102]: third is no backfill"],
  [["2026"], "error[L2102]: 2026 is the beginning of several backfills"],
  [["--restart"], "error[L1301]: --restart takes the names"],
  [["--format", "junit,html"], "error[L1301]: 2 formats"],
  [["--batch-time", "soon"], "error[L1302]"],
]

test.for(wrong)("%s is refused before the database is asked", async ([args, problem]) => {
  const { run } = await openShop({ migrations, files, schema: "" })
  expect(await run("backfill", ...args)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(problem) })
})

test("a failure is in the report as well as in its own words", async () => {
  const { run, project } = await filled()
  project.write("prisma/backfills/20260102000000_first.sql", "UPDATE item\n  SET n = 1 / (id - 50)\n")
  const failed = await run("backfill", "--format", "github")
  expect(failed).toMatchObject({ exitCode: 1 })
  expect(failed.stdout).toMatch(
    /^::error file=.*first\.sql,line=1,.*title=L2107%3A 20260102000000_first failed.*division by zero/,
  )
  expect(failed.stderr).toContain("error[L2107]: division by zero")
})

test("a page shows how far along its table each backfill is, of a list, a dry run and a run, also of one that fails", async () => {
  const { run, project } = await filled()
  const page = async (...args: readonly string[]) => (await run("backfill", ...args, "--format", "html")).stdout
  const list = await page("--list")
  expect(list).toContain('<section class="overview warn"')
  expect(list.match(/class="reached" width="0\.0%"/g)).toHaveLength(2)
  expect(list).toContain("prisma/backfills/20260103000000_second.sql</span>")
  expect(await page("--dry-run")).toContain("about 100 rows left, at least 1 batch")
  const dividing = "-- lockstep-batch: 20\nUPDATE item SET n = 100 / (id - 50);\n"
  project.write("prisma/backfills/20260103000000_second.sql", dividing)
  const failed = await page()
  expect(failed).toContain('<td class="t-good">finished</td>')
  expect(failed).toContain('<td class="t-bad">failed</td>')
  expect(failed).toContain("40 rows changed in 2 batches")
  expect(failed).toMatch(/class="reached" width="100\.0%"[\s\S]*class="reached" width="40\.0%"/)
  const again = await page()
  expect(again).toContain("finished before")
  expect(again).not.toContain('<h2 id="h-checks">')
})

test("on a terminal the rows, the rate and the time left are shown", () => {
  const shown: string[] = []
  const paint = { red: String, green: String, yellow: String }
  const output = {
    json: false,
    terminal: true,
    live: (text: string) => shown.push(text),
    say: () => {},
    object: () => {},
    paint,
  }
  const progress = { name: "one", rows: 400, walked: 41_000, estimated: 200_000, batches: 20, batchRows: 2000 }
  backfillReporter(Object(output))({ event: "progress", ...progress, rowsPerSecond: 9000, leftMs: 17_600 })
  expect(shown).toEqual([
    "  ..    one   41,000 rows of about 200,000 rows, 9,000 rows/s in batches of 2,000 rows, about 18 s left",
  ])
})
