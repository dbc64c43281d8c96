import { expect, test } from "vitest"
import { withoutKnownOperatorClasses } from "../../src/project/operator-classes.js"

const schemaOf = (index: string) => [
  {
    path: "schema.prisma",
    content: `model Secret {\n  id Int @id\n  key String @map("k")\n  ${index}\n  @@map("secrets")\n}\n`,
  },
]
const byDefault = 'CREATE INDEX "secrets_k_idx" ON "secrets"("k" text_pattern_ops);'
const raw = 'raw("text_pattern_ops")'
const left = (index: string, ...texts: readonly string[]) =>
  withoutKnownOperatorClasses(
    schemaOf(index),
    texts.map((text) => ({ text })),
  ).then(([file]) => file?.content.split("\n")[3]?.replaceAll(/ +/g, " ").trim())

test.each([
  [`@@index([key(ops: ${raw})])`, "@@index([key ])"],
  [`@@index([key(ops: ${raw})], type: BTree)`, "@@index([key ], type: BTree)"],
  [`@@index([key(ops: ${raw}, sort: Desc)])`, "@@index([key( sort: Desc)])"],
  [`@@index([key(sort: Desc, ops: ${raw})]) // all`, "@@index([key(sort: Desc )]) // all"],
])("an operator class that the history makes goes: %s", async (index, expected) => {
  expect(await left(index, byDefault)).toBe(expected)
})

test.each([
  ["another name", `@@index([key(ops: ${raw})], map: "other")`, byDefault],
  ["another class", '@@index([key(ops: raw("varchar_pattern_ops"))])', byDefault],
  ["another column", `@@index([id, key(ops: ${raw})], map: "secrets_k_idx")`, byDefault],
  ["another method", `@@index([key(ops: ${raw})], type: Gin)`, byDefault],
  ["a comment", `// @@index([key(ops: ${raw})])`, byDefault],
  ["a history without it", `@@index([key(ops: ${raw})])`, 'CREATE INDEX "secrets_k_idx" ON "secrets"("k");'],
  ["a partial index", `@@index([key(ops: ${raw})])`, byDefault.replace(";", " WHERE id > 3;")],
  [
    "IF NOT EXISTS of one that exists",
    `@@index([key(ops: ${raw})])`,
    `CREATE INDEX "secrets_k_idx" ON "secrets"("k"); ${byDefault.replace("INDEX", "INDEX IF NOT EXISTS")}`,
  ],
  ["a dropped index", `@@index([key(ops: ${raw})])`, `${byDefault} DROP INDEX "secrets_k_idx";`],
  ["a dropped table", `@@index([key(ops: ${raw})])`, `${byDefault} DROP TABLE public.secrets;`],
  ["a dropped column", `@@index([key(ops: ${raw})])`, `${byDefault} ALTER TABLE secrets DROP COLUMN k;`],
  ["a dropped schema", `@@index([key(ops: ${raw})])`, `${byDefault} DROP SCHEMA public CASCADE;`],
  [
    "a DO block that may drop it",
    `@@index([key(ops: ${raw})])`,
    `${byDefault} DO $$ BEGIN EXECUTE 'DROP INDEX ' || current_user; END $$;`,
  ],
])("it stays with %s", async (_, index, ...history) => {
  expect(await left(index, ...history)).toBe(index)
})

test("a DO block that names neither the index nor its table leaves it", async () => {
  const other = "DO $$ BEGIN IF EXISTS (SELECT FROM pg_class) THEN DROP TABLE IF EXISTS others; END IF; END $$;"
  expect(await left(`@@index([key(ops: ${raw})])`, byDefault, `${other} SELECT 1 AS secrets;`)).toBe("@@index([key ])")
})

test("an index is followed through renames, other columns and other migrations", async () => {
  const history = [
    'CREATE INDEX CONCURRENTLY IF NOT EXISTS "old_idx" ON "old"("a" text_pattern_ops);',
    'ALTER TABLE "old" RENAME COLUMN "a" TO "k"; ALTER TABLE "old" ADD COLUMN "b" INT, DROP COLUMN "c";',
    'ALTER TABLE "old" RENAME TO "secrets"; DROP TABLE "others"; ALTER INDEX "old_idx" RENAME TO "secrets_k_idx";',
  ]
  // Named in the schema as well, so that the first file is read.
  expect(await left(`@@index([key(ops: ${raw})])`, ...history.map((text) => `-- secrets\n${text}`))).toBe(
    "@@index([key ])",
  )
})

test("with several schemas all stays: a table's name does not say which one it is", async () => {
  const index = `@@index([key(ops: ${raw})]) @@schema("a")`
  expect(await left(index, byDefault)).toBe(index)
})
