import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { objectsIn } from "../e2e/json.js"
import {
  init,
  migrations,
  narrowSchema,
  openShop,
  orders,
  schema,
  scratchDatabasesLeftOn,
  widerSchema,
} from "../support/shop.js"

const foldersIn = (dir: string) => readdirSync(dir).filter((name) => name !== "migration_lock.toml")

test("without a terminal it applies what is pending, writes the next migration, applies it, and shows its SQL", async () => {
  const { run, project, database } = await openShop({ schema: widerSchema })
  const { stdout, stderr, exitCode } = await run("migrate", "--name", "Add an age!")
  expect({ stderr, exitCode }).toMatchObject({ exitCode: 0 })
  expect(stdout).toContain('ALTER TABLE "User" ADD COLUMN     "age" INTEGER;')
  const [, , added = ""] = foldersIn(project.migrationsDir)
  expect(added).toMatch(/^\d{14}_add_an_age$/)
  expect(readFileSync(join(project.migrationsDir, added, "migration.sql"), "utf8")).toContain('"age" INTEGER')
  expect(stderr).toContain(`wrote prisma/migrations/${added}/migration.sql`)
  expect((await run("status")).stdout).toBe("Up to date: 3 of 3 migrations applied.")
  expect(await scratchDatabasesLeftOn(database)).toBe(0)
  expect((await run("migrate", "--name", "again")).stdout).toBe("Nothing to do: the history already makes this schema.")
})

test("the first migration of a new project comes with its lock file", async () => {
  const { run, project } = await openShop({ migrations: {}, lockfile: null })
  const { stdout } = await run("migrate", "--name", "init", "--json")
  const [answer] = objectsIn(stdout)
  expect(answer).toMatchObject({ state: "applied", name: expect.stringMatching(/_init$/), warnings: [] })
  expect(readFileSync(join(project.migrationsDir, "migration_lock.toml"), "utf8")).toContain('provider = "postgresql"')
})

test("its timestamp is later than every existing one, whatever the clock says", async () => {
  const { run, project } = await openShop({
    schema: widerSchema,
    migrations: { ...migrations, "20991231235959_far": "SELECT 1;\n" },
  })
  await run("migrate", "--name", "later")
  expect(foldersIn(project.migrationsDir).at(-1)).toBe("21000101000000_later")
})

test("--create-only writes and does not apply, also where nothing is to be done", async () => {
  const { run, project } = await openShop({ schema: widerSchema })
  const { stderr, exitCode } = await run("migrate", "--create-only", "--name", "age")
  expect({ stderr, exitCode }).toMatchObject({
    stderr: expect.stringContaining("Not applied (--create-only)."),
    exitCode: 0,
  })
  expect((await run("status")).stdout).toContain("1 pending")
  await run("deploy")
  project.write("prisma/schema.prisma", widerSchema)
  const { stdout } = await run("migrate", "--create-only", "--name", "by hand", "--json")
  expect(objectsIn(stdout)).toMatchObject([{ state: "written" }])
  expect(foldersIn(project.migrationsDir).at(-1)).toMatch(/_by_hand$/)
})

test("without a name it fails before anything is touched, and says how to give one", async () => {
  const { run } = await openShop({ schema: widerSchema })
  const { stderr, exitCode } = await run("migrate")
  expect(stderr).toContain("error[L1301]: the migration needs a name")
  expect(stderr).toContain("lockstep migrate --name add_orders")
  expect(exitCode).toBe(2)
  expect((await run("status")).stdout).toContain("no history yet")
})

test("what loses data is shown and not written, unless that is accepted or it is only to be edited", async () => {
  const { run, project, database } = await openShop({ schema: narrowSchema })
  await run("deploy")
  await database.query(`INSERT INTO "User" VALUES (1, 'Ada')`)
  const refused = await run("migrate", "--name", "drop", "--json")
  expect(refused.exitCode).toBe(1)
  expect(objectsIn(refused.stdout)).toMatchObject([
    { code: "L1410", hint: 'lost: column "User"."name" (1 value in this database)' },
  ])
  expect(refused.stderr).toContain('DROP COLUMN "name"')
  expect(foldersIn(project.migrationsDir)).toEqual([init, orders])
  const accepted = await run("migrate", "--name", "drop", "--accept-data-loss")
  expect({ all: accepted.all, exitCode: accepted.exitCode }).toMatchObject({
    all: expect.stringMatching(/data loss {2}column "User"."name"/),
    exitCode: 0,
  })
  expect(await database.query(`SELECT * FROM "User"`)).toEqual([{ id: 1 }])
})

test("what loses data is judged by the SQL, whatever rows there are, and what may be renamed is named first", async () => {
  const renamed = schema.replace("name String?", "title String?\n  label String?")
  const { run, project, database } = await openShop({ schema: renamed })
  const refused = await run("migrate", "--name", "title", "--json")
  expect(objectsIn(refused.stdout)).toMatchObject([
    {
      code: "L1410",
      hint: `perhaps renamed: "User"."name" to label   --rename User.name=label
perhaps renamed: "User"."name" to title   --rename User.name=title
lost: column "User"."name" (0 values in this database)`,
      next: expect.stringMatching(/migrate --name title --rename User.name=label, or add --accept-data-loss/),
    },
  ])
  expect(await run("migrate", "--name", "title", "--create-only")).toMatchObject({ exitCode: 1 })
  expect(foldersIn(project.migrationsDir)).toEqual([init, orders])
  await database.query(`INSERT INTO "User" VALUES (1, 'Ada')`)
  const { stdout, stderr, exitCode } = await run("migrate", "-n", "title", "--rename", "User.name=title", "--json")
  expect({ stderr, exitCode }).toMatchObject({ exitCode: 0 })
  expect(objectsIn(stdout)).toMatchObject([{ renames: ['"User"."name" to title'], losses: [] }])
  expect(await database.query(`SELECT * FROM "User"`)).toEqual([{ id: 1, title: "Ada", label: null }])
  expect((await run("migrate", "--name", "again")).stdout).toBe("Nothing to do: the history already makes this schema.")
})

test("--rename that fits nothing is refused with what is gone and what is new", async () => {
  const { run } = await openShop({ schema: schema.replace("name String?", "title String?") })
  const { stderr, exitCode } = await run("migrate", "--name", "x", "--rename", "User.nmae=title,Order=Sale")
  expect(stderr).toContain("error[L1415]: --rename User.nmae=title, --rename Order=Sale does not fit")
  expect(stderr).toContain("User.name is gone; new there: title")
  expect(exitCode).toBe(2)
})

test("a new enum value has a migration of its own where the rest uses it, so that the rest stays transactional", async () => {
  const enumSchema = (values: string, field: string) =>
    `${schema}\nenum Mood {\n  SAD\n${values}}\nmodel Day {\n  id Int @id\n  mood Mood ${field}\n}\n`
  const { run, project } = await openShop({ schema: enumSchema("", "") })
  await run("migrate", "--name", "mood")
  project.write("prisma/schema.prisma", enumSchema("  HAPPY\n", "@default(HAPPY)\n  note String?"))
  const { stdout, stderr, exitCode } = await run("migrate", "--name", "happy", "--json")
  expect({ stderr, exitCode }).toMatchObject({ exitCode: 0 })
  expect(objectsIn(stdout)).toMatchObject([
    {
      name: expect.stringMatching(/_happy$/),
      sql: expect.not.stringContaining("ADD VALUE"),
      precededBy: {
        name: expect.stringMatching(/_happy_enum_values$/),
        sql: expect.stringContaining("ADD VALUE 'HAPPY'"),
      },
    },
  ])
  expect(stderr).not.toContain("outside a transaction")
  expect((await run("status")).stdout).toBe("Up to date: 5 of 5 migrations applied.")
})

test("what the data make impossible is not written either", async () => {
  const required = schema.replace("name String?", "name String?\n  email String")
  const { run, project, database } = await openShop({ schema: required })
  await run("deploy")
  await database.query(`INSERT INTO "User" VALUES (1, 'Ada')`)
  const { stdout, exitCode } = await run("migrate", "--name", "email", "--accept-data-loss", "--json")
  expect(objectsIn(stdout)).toMatchObject([{ code: "L1411", next: expect.stringContaining("--create-only") }])
  expect(exitCode).toBe(1)
  expect(foldersIn(project.migrationsDir)).toEqual([init, orders])
})

test("a database that was changed by hand is never reset: the difference is told", async () => {
  const { run, database } = await openShop({ schema: widerSchema })
  await run("deploy")
  await database.query(`ALTER TABLE "User" ADD COLUMN "nick" TEXT; INSERT INTO "User" VALUES (1, 'Ada', 'a')`)
  const { stderr, exitCode } = await run("migrate", "--name", "age")
  expect(stderr).toContain("error[L1403]: the database differs from its history")
  expect(exitCode).toBe(1)
  expect(await database.query(`SELECT nick FROM "User"`)).toEqual([{ nick: "a" }])
  expect(await scratchDatabasesLeftOn(database)).toBe(0)
})

test("a migration that cannot be replayed is named with its place, and no scratch database is left", async () => {
  const { run, database, project } = await openShop()
  await run("deploy")
  project.migration(orders, "CREATE TABLE o (id int);\nCREATE INDEX ON missing (x);\n")
  project.write("prisma/schema.prisma", widerSchema)
  const { stderr, exitCode } = await run("migrate", "--name", "age")
  expect({ stderr, exitCode }).toMatchObject({ stderr: expect.stringContaining(orders), exitCode: 1 })
  expect(await scratchDatabasesLeftOn(database)).toBe(0)
})

test("a schema that is not valid is refused before the database is touched", async () => {
  const { run } = await openShop({ schema: schema.replace("Int ", "Integer ") })
  const { stderr, exitCode } = await run("migrate", "--name", "x")
  expect(stderr).toContain("error[L1401]")
  expect(exitCode).toBe(2)
})

test("an extension is created by one migration, and not again by the next", async () => {
  const extended = schema
    .replace('"postgresql"\n', '"postgresql"\n  extensions = [citext, uuidOssp(map: "uuid-ossp")]\n')
    .replace(
      "datasource",
      'generator client {\n  provider = "prisma-client"\n  previewFeatures = ["postgresqlExtensions"]\n}\n\ndatasource',
    )
  const citext = { ...migrations, "20260103000000_citext": 'CREATE EXTENSION "citext";\n' }
  const { run, project } = await openShop({ schema: extended, migrations: citext })
  const { stdout } = await run("migrate", "--name", "uuid")
  expect(stdout).toContain('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"')
  expect(stdout).not.toContain("citext")
  expect((await run("diff", "history", "schema")).stdout).toBe("No difference.")
  project.write("prisma/schema.prisma", extended.replace("name String?", "name String?\n  age  Int?"))
  expect((await run("migrate", "--name", "age")).stdout).toBe(
    `-- AlterTable\nALTER TABLE "User" ADD COLUMN     "age" INTEGER;`,
  )
})

/** As Prisma 5 and Prisma 6 write the table of an implicit many-to-many relation: its key is an index, or a primary key. */
const relationKeys = {
  "5.22.0": 'CREATE UNIQUE INDEX "_PostToTag_AB_unique" ON "_PostToTag"("A", "B");',
  "6.19.3": 'ALTER TABLE "_PostToTag" ADD CONSTRAINT "_PostToTag_AB_pkey" PRIMARY KEY ("A", "B");',
}
const posts = (
  key: string,
): string => `CREATE TABLE "Post" ("id" INTEGER NOT NULL, "name" TEXT, CONSTRAINT "Post_pkey" PRIMARY KEY ("id"));
CREATE TABLE "Tag" ("id" INTEGER NOT NULL, CONSTRAINT "Tag_pkey" PRIMARY KEY ("id"));
CREATE TABLE "_PostToTag" ("A" INTEGER NOT NULL, "B" INTEGER NOT NULL);
${key}
CREATE INDEX "_PostToTag_B_index" ON "_PostToTag"("B");
ALTER TABLE "_PostToTag" ADD CONSTRAINT "_PostToTag_A_fkey" FOREIGN KEY ("A") REFERENCES "Post"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "_PostToTag" ADD CONSTRAINT "_PostToTag_B_fkey" FOREIGN KEY ("B") REFERENCES "Tag"("id") ON DELETE CASCADE ON UPDATE CASCADE;
`
const postsSchema = `datasource db {
  provider  = "postgresql"
  url       = env("SHOP_POOLED_URL")
  directUrl = env("DATABASE_URL")
}

generator client {
  provider        = "prisma-client-js"
  previewFeatures = ["metrics", "fullTextIndex"]
}

model Post {
  id   Int     @id
  name String?
  tags Tag[]
}

model Tag {
  id    Int    @id
  posts Post[]
}
`

test.each(Object.entries(relationKeys))(
  "renames in a project of Prisma %s keep the rows, there and back",
  async (version, key) => {
    const { run, project, database } = await openShop({
      migrations: { [init]: posts(key) },
      schema: postsSchema,
      files: { "node_modules/prisma/package.json": JSON.stringify({ name: "prisma", version, bin: "x.js" }) },
    })
    const rowsOf = (table: string, columns: string) => database.query(`SELECT ${columns} FROM "${table}" ORDER BY 1`)
    await run("deploy")
    await database.query(
      `INSERT INTO "Post" VALUES (1, 'one'); INSERT INTO "Tag" VALUES (7); INSERT INTO "_PostToTag" VALUES (1, 7)`,
    )
    expect((await run("diff", "history", "schema")).stdout).toBe("No difference.")
    const renamed = postsSchema.replace("name String?", "title String?").replaceAll("Tag", "Topic")
    project.write("prisma/schema.prisma", renamed)
    const refused = await run("migrate", "--name", "topics")
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain("--rename Tag=Topic")
    expect(refused.stderr).toContain("--rename Post.name=title")
    const made = await run("migrate", "--name", "topics", "--rename", "Tag=Topic", "--rename", "Post.name=title")
    expect(made, made.stderr).toMatchObject({ exitCode: 0 })
    expect(made.stdout).not.toMatch(/DROP|CREATE/)
    expect(await rowsOf("Post", "id, title")).toEqual([{ id: 1, title: "one" }])
    expect(await rowsOf("_PostToTopic", '"A", "B"')).toEqual([{ A: 1, B: 7 }])
    expect((await run("diff", "history", "schema")).stdout).toBe("No difference.")
    const undone = await run("undo")
    expect(undone, undone.stderr).toMatchObject({ exitCode: 0 })
    await run("deploy")
    expect(await rowsOf("Post", "id, name")).toEqual([{ id: 1, name: "one" }])
    expect(await rowsOf("_PostToTag", '"A", "B"')).toEqual([{ A: 1, B: 7 }])
    expect(readFileSync(join(project.root, "prisma/schema.prisma"), "utf8")).toBe(renamed)
  },
)
