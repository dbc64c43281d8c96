import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { createHistoryTable } from "../../src/history/recorded.js"
import { until } from "../support/until.js"
import { openRuns } from "./runs.js"

const counter = "CREATE TABLE counter (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);"
const rows = (count: number) => `INSERT INTO counter SELECT g * 3 FROM generate_series(1, ${count}) g;`

test("every row is changed once, in batches, and a second run changes nothing", async () => {
  const { database, run, events, recorded } = await openRuns(counter + rows(2500), {
    one: "UPDATE counter SET n = n + 1;\n",
  })
  expect(await run({ batch: 400 })).toMatchObject({ finished: ["one"], finishedBefore: [] })
  expect(await database.query("SELECT n, count(*)::int FROM counter GROUP BY n")).toEqual([{ n: 1, count: 2500 }])
  expect(await recorded()).toEqual([
    {
      name: "one",
      last_key: ["7500"],
      upper_key: ["7500"],
      rows: 2500,
      walked: 2500,
      batches: 7,
      finished: true,
      error: null,
    },
  ])
  expect(events.map(({ event }) => event).filter((event) => event !== "progress")).toEqual(["started", "finished"])
  expect(await run()).toMatchObject({ finished: [], finishedBefore: ["one"] })
  expect(await database.query("SELECT DISTINCT n FROM counter")).toEqual([{ n: 1 }])
  expect(await run({ restart: true })).toMatchObject({ finished: ["one"] })
  expect(await database.query("SELECT DISTINCT n FROM counter")).toEqual([{ n: 2 }])
})

test("a table without rows is done at once", async () => {
  const { run, recorded } = await openRuns(counter, { one: "UPDATE counter SET n = n + 1;\n" })
  expect(await run()).toMatchObject({ finished: ["one"] })
  expect(await recorded()).toMatchObject([{ rows: 0, batches: 0, finished: true }])
})

const keys: readonly (readonly [string, string, string])[] = [
  ["bigint", "bigint", "g::bigint * 1000003"],
  ["text", "text", "chr(65 + g % 57) || g || E'''\\\\é'"],
  ["text of another collation", 'text COLLATE "C"', "chr(65 + g % 57) || g || '-ß'"],
  ["char(n)", "char(12)", "chr(65 + g % 57) || g"],
  ["varchar", "varchar(20)", "g::text"],
  ["uuid", "uuid", "md5(g::text)::uuid"],
  ["timestamptz", "timestamptz", "timestamptz '2020-01-01' + g * interval '1.000001 s'"],
  ["date", "date", "date '1999-12-31' + g"],
  ["double precision", "double precision", "g / 3.0"],
  ["numeric", "numeric(12,4)", "g / 7.0"],
  ["bytea", "bytea", "decode(md5(g::text), 'hex')"],
  ["boolean and int", "int", "g"],
  ["an enum", "mood", "((enum_range(NULL::mood))[1 + g % 3])"],
  ["a domain", "positive", "g"],
]

test.for(keys)("a table is walked by a key of %s", async ([what, type, value]) => {
  const composite = what === "an enum" || what === "boolean and int"
  const first = what === "boolean and int" ? "g % 2 = 0" : "g"
  const sql = `CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    SET datestyle = 'SQL, DMY';
    CREATE TABLE item (${composite ? `a ${what === "an enum" ? "int" : "boolean"}, ` : ""}k ${type}, n int NOT NULL DEFAULT 0, PRIMARY KEY (${composite ? "k, a" : "k"}));
    INSERT INTO item SELECT ${composite ? `${first}, ` : ""}${value}, 0 FROM generate_series(1, 200) g;`
  const { database, run, recorded } = await openRuns(sql, { one: "UPDATE item AS i SET n = i.n + 1 WHERE true\n" })
  await database.query(`ALTER DATABASE ${database.name} SET datestyle = 'SQL, DMY'`)
  await database.query(`ALTER DATABASE ${database.name} SET extra_float_digits = -3`)
  await run({ batch: 7 })
  expect(await database.query("SELECT n, count(*)::int FROM item GROUP BY n")).toEqual([{ n: 1, count: 200 }])
  expect(await recorded()).toMatchObject([{ rows: 200, batches: 29, finished: true }])
})

test("DELETE, and INSERT … SELECT with ON CONFLICT, over gaps between the keys", async () => {
  const { database, run, recorded } = await openRuns(
    `${counter}CREATE TABLE copy (id int PRIMARY KEY, n int); INSERT INTO copy VALUES (500000, -1);
    INSERT INTO counter SELECT g, g % 5 FROM generate_series(1, 100) g;
    INSERT INTO counter SELECT 500000 + g, g % 5 FROM generate_series(0, 99) g;`,
    {
      "1_copy":
        "INSERT INTO copy (id, n) SELECT c.id, c.n FROM counter AS c WHERE c.n > 0\nON CONFLICT (id) DO NOTHING;\n",
      "2_delete": "DELETE FROM counter USING copy WHERE copy.id = counter.id;\n",
    },
  )
  expect(await run({ batch: 30 })).toMatchObject({ finished: ["1_copy", "2_delete"] })
  expect(await recorded()).toMatchObject([
    { name: "1_copy", rows: 160, walked: 200, batches: 7 },
    { name: "2_delete", rows: 161, walked: 200, batches: 7 },
  ])
  expect(await database.query("SELECT count(*)::int, count(*) FILTER (WHERE n = 0)::int AS left FROM counter")).toEqual(
    [{ count: 39, left: 39 }],
  )
  expect(await database.query("SELECT count(*)::int FROM copy")).toEqual([{ count: 161 }])
})

test("INSERT … SELECT of joined tables walks the one that lockstep-table names", async () => {
  const { database, run, recorded } = await openRuns(
    `${counter}${rows(100)} CREATE TABLE side (ref int, name text); CREATE TABLE copy (id int, name text);
    INSERT INTO side SELECT id, 'a' FROM counter UNION ALL SELECT id, 'b' FROM counter WHERE id > 150;`,
    {
      one: "-- lockstep-table: counter\nINSERT INTO copy SELECT c.id, s.name FROM counter c LEFT JOIN side s ON c.id = s.ref;\n",
    },
  )
  await run({ batch: 10 })
  expect(await database.query("SELECT name, count(*)::int FROM copy GROUP BY name ORDER BY name")).toEqual([
    { name: "a", count: 100 },
    { name: "b", count: 50 },
  ])
  expect(await recorded()).toMatchObject([{ rows: 150, batches: 10 }])
})

test("partitions, triggers and children by inheritance are walked with their table", async () => {
  const { database, run } = await openRuns(
    `CREATE TABLE part (region text, id int, n int NOT NULL DEFAULT 0, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
    CREATE TABLE part_a PARTITION OF part FOR VALUES IN ('a'); CREATE TABLE part_b PARTITION OF part FOR VALUES IN ('b');
    INSERT INTO part SELECT CASE WHEN g % 3 = 0 THEN 'a' ELSE 'b' END, g FROM generate_series(1, 100) g;
    CREATE TABLE parent (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); CREATE TABLE child () INHERITS (parent);
    INSERT INTO parent SELECT g FROM generate_series(1, 50) g; INSERT INTO child SELECT g FROM generate_series(1, 90) g;
    CREATE TABLE alone (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); CREATE TABLE alone_child () INHERITS (alone);
    INSERT INTO alone SELECT g FROM generate_series(1, 50) g; INSERT INTO alone_child SELECT g FROM generate_series(1, 90) g;
    CREATE TABLE log (id int);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END $$;
    CREATE TRIGGER note AFTER UPDATE ON part FOR EACH ROW EXECUTE FUNCTION note();`,
    {
      "1": "UPDATE part SET n = n + 1",
      "2": "UPDATE parent SET n = n + 1",
      "3": "UPDATE ONLY alone SET n = n + 1",
    },
  )
  await run({ batch: 7 })
  expect(await database.query("SELECT n, count(*)::int FROM part GROUP BY n")).toEqual([{ n: 1, count: 100 }])
  expect(await database.query("SELECT count(*)::int, count(DISTINCT id)::int AS ids FROM log")).toEqual([
    { count: 100, ids: 100 },
  ])
  expect(await database.query("SELECT n, count(*)::int FROM parent GROUP BY n")).toEqual([{ n: 1, count: 140 }])
  expect(await database.query("SELECT n, count(*)::int FROM alone GROUP BY n ORDER BY n")).toEqual([
    { n: 0, count: 90 },
    { n: 1, count: 50 },
  ])
})

test("without a primary key another unique index without NULLs serves; without one it is refused, with the way out", async () => {
  const { database, run } = await openRuns(
    `CREATE TABLE bare (id int, code text, n int DEFAULT 0); INSERT INTO bare SELECT g, 'c' || g FROM generate_series(1, 50) g;
    CREATE UNIQUE INDEX bare_part ON bare (id) WHERE id > 5; CREATE UNIQUE INDEX bare_null ON bare (id); CREATE UNIQUE INDEX bare_lower ON bare (lower(code));`,
    { one: "UPDATE bare SET n = n + 1" },
  )
  await expect(run()).rejects.toMatchObject({
    code: "L2104",
    message: "the backfill one walks public.bare, which has no primary key and no other unique index without NULLs",
    details: { next: expect.stringContaining("ALTER TABLE public.bare ADD PRIMARY KEY") },
  })
  await database.query("ALTER TABLE bare ALTER COLUMN code SET NOT NULL; CREATE UNIQUE INDEX bare_code ON bare (code)")
  await run({ batch: 8 })
  expect(await database.query("SELECT DISTINCT n FROM bare")).toEqual([{ n: 1 }])
})

const unfit: readonly (readonly [string, string])[] = [
  ["UPDATE missing SET n = 1", 'walks "missing", which does not exist'],
  ["UPDATE seen SET n = 1", "walks public.seen, which has no primary key"],
  ["UPDATE counter SET n = 1, id = id + 1", 'sets "id", by which the rows of public.counter are walked'],
  ["INSERT INTO counter SELECT id + 1 FROM counter", "inserts into public.counter, whose rows it walks"],
  ["INSERT INTO copy SELECT count(*) FROM counter", "puts rows of several ranges together with count"],
]

test.for(unfit)("%s is refused", async ([sql, problem]) => {
  const { database, run } = await openRuns(
    `${counter}${rows(10)} CREATE TABLE copy (id int); CREATE VIEW seen AS SELECT * FROM counter;`,
    { one: sql },
  )
  await expect(run()).rejects.toMatchObject({ code: "L2104", message: expect.stringContaining(problem) })
  expect(await database.query("SELECT count(*)::int FROM counter WHERE n = 0")).toEqual([{ count: 10 }])
})

test("rows that come after its last key at the start are left to the application", async () => {
  const { database, run, recorded } = await openRuns(counter + rows(2000), { one: "UPDATE counter SET n = n + 1" })
  let isRunning = true
  const running = run({ batch: 20, pause: 1 }).finally(() => {
    isRunning = false
  })
  let id = 1_000_000
  while (isRunning) await database.query(`INSERT INTO counter VALUES (${id++})`)
  await running
  const [{ upper_key: upper } = {}] = await recorded()
  expect(Number(Array.isArray(upper) ? upper[0] : upper)).toBeLessThan(id)
  expect(
    await database.query(
      "SELECT count(*)::int FROM counter, _lockstep.backfills WHERE n <> (id <= upper_key[1]::int)::int",
    ),
  ).toEqual([{ count: 0 }])
  expect(id).toBeGreaterThan(1_000_001)
})

test("an edited file of a backfill under way is refused, with its ways out", async () => {
  const { database, run, write, recorded } = await openRuns(counter + rows(100), {
    one: "UPDATE counter SET n = n + 1 WHERE 1 / (id - 90) IS NOT NULL",
  })
  await expect(run({ batch: 20 })).rejects.toMatchObject({
    code: "L2107",
    details: { sqlstate: "22012", state: expect.stringMatching(/^20 rows are changed, in 1 batch that is committed/) },
  })
  expect(await recorded()).toMatchObject([{ rows: 20, batches: 1, finished: false, error: "division by zero" }])
  write("one", "UPDATE counter SET n = n + 1 WHERE id <> 90")
  await expect(run()).rejects.toMatchObject({
    code: "L2105",
    details: { file: expect.stringContaining("one.sql"), next: expect.stringContaining("--resume-edited") },
  })
  await run({ resumeEdited: true })
  expect(await database.query("SELECT n, count(*)::int FROM counter GROUP BY n ORDER BY n")).toEqual([
    { n: 0, count: 1 },
    { n: 1, count: 99 },
  ])
  write("one", "UPDATE counter SET n = 5 WHERE id = 90\r\n")
  const { finishedBefore } = await run()
  expect(finishedBefore).toEqual(["one"])
  await run({ restart: true })
  expect(await database.query("SELECT n FROM counter WHERE id = 90")).toEqual([{ n: 5 }])
})

test("it comes after its migration, also where a squashed one has taken the place of that", async () => {
  const { database, project, run } = await openRuns(counter + rows(5), {
    one: "-- lockstep-after: 20260101000000_init\nUPDATE counter SET n = n + 1",
  })
  await expect(run()).rejects.toMatchObject({ code: "L2103", details: { next: "correct lockstep-after in the file" } })
  project.migration("20260101000000_init", "SELECT 1")
  await expect(run()).rejects.toMatchObject({
    code: "L2103",
    details: { next: expect.stringContaining("lockstep deploy") },
  })
  project.remove("prisma/migrations/20260101000000_init")
  const squash = "20260201000000_all"
  const list = `--  ${"a".repeat(64)} 20260101000000_init\n--  ${"b".repeat(64)} ${squash}\n`
  project.migration(squash, `-- lockstep-squash 2\nSELECT 1;\n-- lockstep-squash replaces:\n${list}`)
  await database.query(`${createHistoryTable("public")};
    INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) VALUES ('x', 'y', now(), '${squash}')`)
  await run()
  expect(await database.query("SELECT DISTINCT n FROM counter")).toEqual([{ n: 1 }])
})

/** Keeps a row locked until it is called. */
async function lockRow(url: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query("BEGIN; UPDATE counter SET n = n WHERE id = 30")
  return async () => {
    await client.query("ROLLBACK")
    await client.end()
  }
}

test("locked rows are waited for, in smaller batches, and named when they are not released", async () => {
  const { database, run, events } = await openRuns(counter + rows(100), { one: "UPDATE counter SET n = n + 1" })
  const release = await lockRow(database.url)
  await expect(run({ batch: 50, lockTimeout: 20, retries: 2 })).rejects.toMatchObject({
    code: "L1014",
    details: { sqlstate: "55P03", state: "no row was changed." },
  })
  expect(events.filter(({ event }) => event === "retry")).toHaveLength(2)
  let released: Promise<void> | undefined
  await run(
    { batch: 50, lockTimeout: 20, retries: 20 },
    {
      onEvent: ({ event }) => {
        if (event === "retry") released ??= release()
      },
    },
  )
  await released
  expect(await database.query("SELECT n, count(*)::int FROM counter GROUP BY n")).toEqual([{ n: 1, count: 100 }])
})

test("a batch in a deadlock is rolled back and done again, and the other session's change is kept", async () => {
  const { database, run, events } = await openRuns(counter + rows(100), { one: "UPDATE counter SET n = n + 1" })
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  try {
    // Only the batch's session finds the deadlock, and is the one that is canceled.
    await other.query("SET deadlock_timeout = '10min'; BEGIN; UPDATE counter SET n = n + 10 WHERE id = 300")
    const url = new URL(database.url)
    url.searchParams.set("options", "-c deadlock_timeout=2s")
    const running = run({ lockTimeout: 0, retries: 3 }, { url: url.href })
    await until("the batch waits for a row", async () => {
      const waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
      return (await database.query(waiting)).length > 0
    })
    await other.query("UPDATE counter SET n = n + 10 WHERE id = 3; COMMIT")
    await running
  } finally {
    await other.end()
  }
  expect(events.filter(({ event }) => event === "retry")).toMatchObject([
    { attempt: 1, reason: "deadlock detected (40P01)" },
  ])
  const found = await database.query("SELECT n, count(*)::int FROM counter GROUP BY n ORDER BY n")
  expect(found).toEqual([
    { n: 1, count: 98 },
    { n: 11, count: 2 },
  ])
})

test("a batch that statement_timeout cancels is made smaller", async () => {
  const { database, run, recorded } = await openRuns(counter + rows(60), {
    one: "UPDATE counter SET n = n + 1 WHERE pg_sleep(0.02) IS NOT NULL",
  })
  await database.query(`ALTER DATABASE ${database.name} SET statement_timeout = '600ms'`)
  await run({ batch: 60, retries: 10 })
  expect(await database.query("SELECT n, count(*)::int FROM counter GROUP BY n")).toEqual([{ n: 1, count: 60 }])
  const [{ batches } = {}] = await recorded()
  expect(batches).toBeGreaterThan(1)
})

test("a failure is shown at its place in the file, also one of a deferred constraint", async () => {
  const { run, write } = await openRuns(
    `${counter}${rows(10)} CREATE TABLE other (id int PRIMARY KEY);
    ALTER TABLE counter ADD COLUMN ref int REFERENCES other DEFERRABLE INITIALLY DEFERRED;`,
    { one: "-- é\nUPDATE counter\n  SET n = n + 1\n  WHERE id > 0 AND missing = 1" },
  )
  await expect(run()).rejects.toMatchObject({ code: "L2107", details: { sqlstate: "42703", line: 4, column: 20 } })
  write("one", "-- é\nUPDATE counter\n  SET é = n + 1\n")
  await expect(run()).rejects.toMatchObject({ code: "L2105" })
  await expect(run({ resumeEdited: true })).rejects.toMatchObject({ details: { line: 3, column: 7 } })
  write("one", "UPDATE counter SET ref = 5")
  await expect(run({ resumeEdited: true })).rejects.toMatchObject({
    details: { sqlstate: "23503", line: 1, state: "no row was changed." },
  })
})

test("a role that may not keep its progress is told what it needs", async () => {
  const { database, run } = await openRuns(counter + rows(10), { one: "UPDATE counter SET n = n + 1" })
  const role = `r_${database.name}`
  await database.query(
    `CREATE ROLE ${role} LOGIN PASSWORD 'secret'; GRANT SELECT, UPDATE ON counter TO ${role}; REVOKE CREATE ON DATABASE ${database.name} FROM PUBLIC`,
  )
  onTestFinished(async () => {
    await database.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`)
  })
  const address = new URL(database.url)
  address.username = role
  address.password = "secret"
  const refused = {
    code: "L2108",
    details: { next: expect.stringContaining(`CREATE SCHEMA IF NOT EXISTS "_lockstep" AUTHORIZATION "${role}"`) },
  }
  await expect(run({}, { url: address.href })).rejects.toMatchObject(refused)
  await database.query(`CREATE SCHEMA "_lockstep" AUTHORIZATION ${role}`)
  expect(await run({}, { url: address.href })).toMatchObject({ finished: ["one"] })
})
