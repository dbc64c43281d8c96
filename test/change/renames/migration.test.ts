import { describe, expect, test } from "vitest"
import type { RenameQuestion } from "../../../src/change/change.js"
import { createMigration, type NewMigration } from "../../../src/change/create-migration.js"
import { diff } from "../../../src/change/diff.js"
import { writeMigration } from "../../../src/change/migration-file.js"
import type { Answer } from "../../../src/change/renames/decide.js"
import { createPlace, type Place, schemaOf } from "../../schema-engine/setting.js"

const init = `
CREATE TYPE "Role" AS ENUM ('ADMIN', 'USER');
CREATE TABLE "User" ("id" SERIAL NOT NULL, "name" TEXT NOT NULL, "role" "Role" NOT NULL DEFAULT 'USER', CONSTRAINT "User_pkey" PRIMARY KEY ("id"));
CREATE TABLE "Post" ("id" SERIAL NOT NULL, "userId" INTEGER NOT NULL, CONSTRAINT "Post_pkey" PRIMARY KEY ("id"));
CREATE TABLE "Tag" ("id" SERIAL NOT NULL, CONSTRAINT "Tag_pkey" PRIMARY KEY ("id"));
CREATE TABLE "_PostToTag" ("A" INTEGER NOT NULL, "B" INTEGER NOT NULL, CONSTRAINT "_PostToTag_AB_pkey" PRIMARY KEY ("A","B"));
CREATE UNIQUE INDEX "User_name_key" ON "User"("name");
CREATE INDEX "Post_userId_idx" ON "Post"("userId");
CREATE INDEX "_PostToTag_B_index" ON "_PostToTag"("B");
ALTER TABLE "Post" ADD CONSTRAINT "Post_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "_PostToTag" ADD CONSTRAINT "_PostToTag_A_fkey" FOREIGN KEY ("A") REFERENCES "Post"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "_PostToTag" ADD CONSTRAINT "_PostToTag_B_fkey" FOREIGN KEY ("B") REFERENCES "Tag"("id") ON DELETE CASCADE ON UPDATE CASCADE;`

const rows = `
INSERT INTO "User" VALUES (1, 'Ada', 'ADMIN'), (2, 'Bob', 'USER');
INSERT INTO "Post" VALUES (10, 1), (11, 2), (12, 1);
INSERT INTO "Tag" VALUES (5), (6);
INSERT INTO "_PostToTag" VALUES (10, 5), (11, 6), (12, 6);`

const models = `
enum Role {
  ADMIN
  USER
}
model User {
  id Int @id @default(autoincrement())
  name String @unique
  role Role @default(USER)
  posts Post[]
}
model Post {
  id Int @id @default(autoincrement())
  userId Int
  user User @relation(fields: [userId], references: [id])
  tags Tag[]
  @@index([userId])
}
model Tag {
  id Int @id @default(autoincrement())
  posts Post[]
}
`

/** The shop's schema with these texts replaced, everywhere. */
const changed = (...replacements: readonly (readonly [from: string, to: string])[]): string =>
  replacements.reduce((text, [from, to]) => text.replaceAll(from, to), models)

async function openPlace(parameters = ""): Promise<Place> {
  const place = await createPlace({ "20260101000000_init": init }, parameters)
  await place.apply()
  const path = parameters.replace("schema=", "") || "public"
  await place.database.query(`SET search_path TO ${path}; ${rows}`)
  return place
}

type Ask = (question: RenameQuestion) => Promise<Answer>
const nobody: Ask = async () => ({ answer: "none" })

async function created(
  place: Place,
  schema: string,
  told: readonly string[] = [],
  ask = nobody,
): Promise<NewMigration> {
  const made = await createMigration({
    ...{ ...place.setting, folder: place.folder(), schemaFiles: schemaOf(schema) },
    ...{ name: "rename", whenEqual: "nothing", decisions: { told, ask } },
  })
  if (made.state === "nothing") throw new Error("nothing to do")
  return made
}

/** Applies it to the database with rows; the engine must find no difference to the schema afterwards. */
async function applied(place: Place, made: NewMigration, schema: string): Promise<void> {
  for (const { name, sql } of [...(made.precededBy ? [made.precededBy] : []), made])
    await writeMigration(place.project.migrationsDir, name, sql)
  await place.apply()
  const compared = { from: { side: "database" }, to: { side: "schema" }, form: "summary" } as const
  expect(await diff({ ...place.setting, ...compared, schemaFiles: schemaOf(schema) })).toMatchObject({ empty: true })
}

const namesIn = `SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace
  AND c.relname NOT LIKE '\\_prisma%' UNION SELECT conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND contype <> 'n' ORDER BY name`

describe("what is renamed keeps its rows, and the engine finds no difference afterwards", () => {
  test.each([
    [
      "a column",
      {
        schema: changed(["  name String", "  displayName String"]),
        told: ["User.name=displayName"],
        look: `SELECT "displayName" AS v FROM "User" ORDER BY id`,
        found: [{ v: "Ada" }, { v: "Bob" }],
      },
    ],
    [
      "a column by @map, told by the field's name",
      {
        schema: changed(["  name String", '  name String @map("display_name")']),
        told: ["User.name=name"],
        look: `SELECT display_name AS v FROM "User" ORDER BY id`,
        found: [{ v: "Ada" }, { v: "Bob" }],
      },
    ],
    [
      "a column of a table that is renamed as well, told by its old name",
      {
        schema: changed(
          ["model User", "model Account"],
          ["  name String", "  title String"],
          ["user User", "user Account"],
        ),
        told: ["User=Account", "User.name=title"],
        look: `SELECT title AS v FROM "Account" ORDER BY id`,
        found: [{ v: "Ada" }, { v: "Bob" }],
      },
    ],
    [
      "a table by @@map",
      {
        schema: changed(["  posts Post[]\n}\nmodel Post", '  posts Post[]\n  @@map("users")\n}\nmodel Post']),
        told: ["User=users"],
        look: `SELECT count(*)::int AS v FROM users`,
        found: [{ v: 2 }],
      },
    ],
    [
      "a column of a foreign key, with its index",
      {
        schema: changed(["userId", "authorId"]),
        told: ["Post.userId=authorId"],
        look: `SELECT "authorId" AS v FROM "Post" ORDER BY id`,
        found: [{ v: 1 }, { v: 2 }, { v: 1 }],
      },
    ],
    [
      "an enum",
      {
        schema: changed(["Role", "Level"]),
        told: ["Role=Level"],
        look: `SELECT "role"::text AS v FROM "User" ORDER BY id`,
        found: [{ v: "ADMIN" }, { v: "USER" }],
      },
    ],
    [
      "a value of an enum, which is a default",
      {
        schema: changed(["USER", "MEMBER"]),
        told: ["Role.USER=MEMBER"],
        look: `SELECT "role"::text AS v FROM "User" ORDER BY id`,
        found: [{ v: "ADMIN" }, { v: "MEMBER" }],
      },
    ],
    [
      "a model, and with it the table between it and another one, whose columns change places",
      {
        schema: changed(["model Tag", "model Label"], ["tags Tag", "labels Label"]),
        told: ["Tag=Label"],
        look: `SELECT "B" AS post, "A" AS label FROM "_LabelToPost" ORDER BY 1`,
        found: [
          { post: 10, label: 5 },
          { post: 11, label: 6 },
          { post: 12, label: 6 },
        ],
      },
    ],
    [
      "a column that also gets another type and loses a constraint",
      {
        schema: changed(["  name String @unique", "  displayName String @db.VarChar(100)"]),
        told: ["User.name=displayName"],
        look: `SELECT "displayName" AS v FROM "User" ORDER BY id`,
        found: [{ v: "Ada" }, { v: "Bob" }],
      },
    ],
  ])("%s", async (_, { schema, told, look, found }) => {
    const place = await openPlace()
    const made = await created(place, schema, told)
    expect(made).toMatchObject({ losses: [], candidates: [], unexecutable: [] })
    await applied(place, made, schema)
    expect(await place.database.query(look)).toEqual(found)
  })

  test("constraints, indexes and sequences have the names that Prisma gives to new ones", async () => {
    const place = await openPlace()
    const schema = changed(
      ...([
        ["User", "Account"],
        ["Account[]", "User[]"],
        ["  name ", "  title "],
        ["userId", "accountId"],
      ] as const),
      ...([["Tag", "Label"]] as const),
    )
    const made = await created(place, schema, [
      "User=Account",
      "Account.name=title",
      "Post.userId=accountId",
      "Tag=Label",
    ])
    await applied(place, made, schema)
    const fresh = await createPlace()
    const anew = await created(fresh, schema)
    await applied(fresh, anew, schema)
    expect(await place.database.query(namesIn)).toEqual(await fresh.database.query(namesIn))
  })

  test("in the schema of the URL", async () => {
    const place = await openPlace("schema=shop")
    const schema = changed(["  name String", "  displayName String"])
    const made = await created(place, schema, ["User.name=displayName"])
    expect(made.sql).toContain('ALTER TABLE "User" RENAME COLUMN "name" TO "displayName";')
    await applied(place, made, schema)
    expect(await place.database.query(`SELECT "displayName" AS v FROM shop."User" WHERE id = 1`)).toEqual([
      { v: "Ada" },
    ])
  })
})

test("a difference that the engine's own migration leaves as well, such as an operator class, is no obstacle", async () => {
  const place = await openPlace()
  const index = '  role Role @default(USER)\n  @@index([displayName(ops: raw("text_pattern_ops"))])\n'
  const schema = changed(["  name String", "  displayName String"], ["  role Role @default(USER)\n", index])
  const made = await created(place, schema, ["User.name=displayName"])
  expect(made.sql).toContain('RENAME COLUMN "name" TO "displayName"')
  expect(made.sql).toContain('"displayName" text_pattern_ops')
})

test("where nobody decides about a table in another schema, its columns are candidates too, and nothing fails", async () => {
  const place = await createPlace()
  // Prisma's engine writes a script that fails here: it changes the enum in a table that the script makes later.
  const shop = (model: string, column: string) => [
    {
      path: "prisma/schema.prisma",
      content: `datasource db {
  provider = "postgresql"
  schemas = ["public", "auth"]
}
enum Kind {
  A
  ${column}
  @@schema("auth")
}
model ${model} {
  id Int @id @default(autoincrement())
  ${column} String
  kind Kind @default(A)
  @@schema("auth")
}
`,
    },
  ]
  const make = (schemaFiles: ReturnType<typeof shop>, told: readonly string[]) =>
    createMigration({
      ...{ ...place.setting, folder: place.folder(), schemaFiles, name: "x", whenEqual: "nothing" },
      decisions: { told, ask: nobody },
    })
  const first = await make(shop("User", "name"), [])
  if (first.state === "nothing") throw new Error("nothing to do")
  await writeMigration(place.project.migrationsDir, first.name, first.sql)
  await place.apply()
  await place.database.query(`INSERT INTO auth."User" ("name") VALUES ('Ada')`)
  const flags = ["auth.User=Account", "auth.Account.name=title", "auth.Kind.name=title"]
  const open = await make(shop("Account", "title"), [])
  expect(open).toMatchObject({ candidates: flags.map((flag) => ({ flag: `--rename ${flag}` })) })
  const told = await make(shop("Account", "title"), flags)
  expect(told).toMatchObject({ losses: [], candidates: [] })
  if (told.state === "nothing") throw new Error("nothing to do")
  await writeMigration(place.project.migrationsDir, told.name, told.sql)
  await place.apply()
  expect(await place.database.query(`SELECT "title" FROM auth."Account"`)).toEqual([{ title: "Ada" }])
  expect(await make(shop("Account", "title"), [])).toEqual({ state: "nothing" })
})
