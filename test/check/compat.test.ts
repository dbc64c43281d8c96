import { afterAll, beforeAll, expect, test } from "vitest"
import { findingsOf } from "../../src/check/finding.js"
import { type ExampleProject, exampleProject } from "./project.js"

const schema = `generator client {
  provider = "prisma-client"
  output   = "../generated"
}
datasource db {
  provider = "postgresql"
}
enum Mood {
  GOOD
  BAD
}
model User {
  id    Int     @id @default(autoincrement())
  name  String
  email String? @map("e_mail") @db.VarChar(80)
  mood  Mood    @default(GOOD)
  posts Post[]
}
model Post {
  id       Int  @id
  authorId Int
  author   User @relation(fields: [authorId], references: [id])
}
`
const init = `CREATE TYPE "Mood" AS ENUM ('GOOD', 'BAD');
CREATE TABLE "User" ("id" SERIAL PRIMARY KEY, "name" TEXT NOT NULL, "e_mail" VARCHAR(80), "mood" "Mood" NOT NULL DEFAULT 'GOOD');
CREATE TABLE "Post" ("id" INTEGER PRIMARY KEY, "authorId" INTEGER NOT NULL REFERENCES "User" ("id"));
INSERT INTO "User" ("id", "name") VALUES (1, 'from the history');
`

let project: ExampleProject

/** One for all, because generating the base's client takes most of the time. */
beforeAll(async () => {
  const base = { "schema.prisma": schema, "20260101000000_init": init }
  project = await exampleProject({ base, branch: {} }, "without a database")
})
afterAll(() => project.drop())

async function found(sql: string) {
  project.migration("20260102000000_change", sql)
  const results = await project.check({ ids: ["client/compat"] })
  return findingsOf(results).map(({ object, message, next }) => ({ object, message, next }))
}

test.each([
  [
    `ALTER TABLE "User" RENAME COLUMN "e_mail" TO "email"`,
    "User.email",
    /"User"."e_mail" \(User.email\), which 20260102000000_change removes/,
  ],
  [`DROP TABLE "Post"`, "Post", /"Post" \(Post\), which 20260102000000_change removes/],
  [`ALTER TABLE "User" ADD COLUMN "age" int NOT NULL; `, "User", /cannot create User: null value in column "age"/],
  [`ALTER TABLE "User" ADD CHECK (length("name") < 10)`, "User", /cannot create User: .*violates check constraint/],
  [
    `ALTER TABLE "User" ALTER COLUMN "e_mail" SET NOT NULL`,
    "User.email",
    /cannot create User.email: null value in column "e_mail"/,
  ],
  [
    `ALTER TABLE "User" ALTER COLUMN "e_mail" TYPE varchar(10)`,
    "User.email",
    /cannot update User.email: value too long/,
  ],
  [`ALTER TABLE "User" ALTER COLUMN "name" DROP NOT NULL`, "User.name", /cannot read a row in which User.name is NULL/],
  [`ALTER TYPE "Mood" ADD VALUE 'SOSO'`, "User.mood", /cannot read a row in which User.mood is 'SOSO'/],
  [
    `ALTER TYPE "Mood" RENAME TO "Old"; CREATE TYPE "Mood" AS ENUM ('GOOD'); ALTER TABLE "User" ALTER COLUMN "mood" DROP DEFAULT,
    ALTER COLUMN "mood" TYPE "Mood" USING "mood"::text::"Mood", ALTER COLUMN "mood" SET DEFAULT 'GOOD'; DROP TYPE "Old"`,
    "User.mood",
    /cannot update User.mood with BAD/,
  ],
])("what breaks is named: %s", async (sql, object, message) => {
  const sqlOfRows =
    sql.includes("NOT NULL; ") || sql.includes("SET NOT NULL") || sql.includes("CHECK")
      ? `TRUNCATE "User" CASCADE; `
      : ""
  expect(await found(sqlOfRows + sql)).toEqual([
    { object, message: expect.stringMatching(message), next: expect.any(String) },
  ])
})

test.each([
  `ALTER TABLE "User" ADD COLUMN "age" int NOT NULL DEFAULT 0`,
  `ALTER TABLE "User" ALTER COLUMN "e_mail" TYPE text`,
  `CREATE TABLE "Tag" ("id" int PRIMARY KEY); CREATE INDEX ON "User" ("name"); DELETE FROM "User"`,
  `ALTER TABLE "User" ADD COLUMN "full" text GENERATED ALWAYS AS ("name" || 'x') STORED`,
])("what an old client does not notice is no finding: %s", async (sql) => {
  expect(await found(sql)).toEqual([])
})
