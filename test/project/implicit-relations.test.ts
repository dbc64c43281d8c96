import { beforeAll, describe, expect, test } from "vitest"
import { withRelationTables } from "../../src/project/implicit-relations.js"
import { container, type Engine, openEngine } from "../../src/schema-engine/engine.js"

let engine: Engine
beforeAll(async () => {
  engine = await openEngine({ url: undefined })
  return () => engine.dispose()
})

const target = (content: string, translate: boolean) => {
  const files = [{ path: "schema.prisma", content: `datasource db {\n  provider = "postgresql"\n}\n${content}` }]
  return { tag: "schemaDatamodel" as const, ...container(translate ? withRelationTables(files) : files) }
}

const scriptOf = async (from: string, to: string, translate: boolean): Promise<string> =>
  (await engine.diff(target(from, translate), target(to, translate), "script")).text

/** What Prisma 5 writes in place of the primary key. */
const withUniqueIndex = (sql: string): string =>
  sql
    .replaceAll(/,\n\n {4}CONSTRAINT "_\w+_AB_pkey" PRIMARY KEY \("A","B"\)/g, "")
    .replaceAll(
      /CREATE INDEX "(_\w+)_B_index" ON ([^(]+)/g,
      'CREATE UNIQUE INDEX "$1_AB_unique" ON $2("A", "B");\n\n-- CreateIndex\n$&',
    )

const ids = "model A {\n  id Int @id\n}\nmodel B {\n  id Int @id\n}\n"
const related = "model A {\n  id Int @id\n  bs B[]\n}\nmodel B {\n  id Int @id\n  as A[]\n}\n"

test("a relation's table is what Prisma 5 writes", async () => {
  expect(await scriptOf(ids, related, true)).toBe(`-- CreateTable
CREATE TABLE "_AToB" (
    "A" INTEGER NOT NULL,
    "B" INTEGER NOT NULL
);

-- CreateIndex
CREATE UNIQUE INDEX "_AToB_AB_unique" ON "_AToB"("A", "B");

-- CreateIndex
CREATE INDEX "_AToB_B_index" ON "_AToB"("B");

-- AddForeignKey
ALTER TABLE "_AToB" ADD CONSTRAINT "_AToB_A_fkey" FOREIGN KEY ("A") REFERENCES "A"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "_AToB" ADD CONSTRAINT "_AToB_B_fkey" FOREIGN KEY ("B") REFERENCES "B"("id") ON DELETE CASCADE ON UPDATE CASCADE;
`)
})

describe("everything else is as the engine writes it for the relation itself", () => {
  test.each([
    ["two models", related],
    [
      "two relations between them, of one a name without @relation's key",
      'model B {\n  id String @id @default(uuid()) @db.Uuid\n  x A[] @relation("Xs")\n  y A[] @relation(name: "Ys") // y\n}\nmodel A {\n  id BigInt @id @default(autoincrement())\n  xs B[] @relation("Xs")\n  ys B[] @relation(name: "Ys")\n}\n',
    ],
    [
      "a model's own relation",
      'model User {\n  id Int @id\n  followers User[] @relation("Follows")\n  following User[] @relation("Follows")\n}\n',
    ],
    [
      "mapped names, and an @@id of one field",
      'model Zebra {\n  key String @map("k") @db.VarChar(20)\n  ants Ant[]\n  @@id([key])\n  @@map("zebras")\n}\nmodel Ant {\n  id Int @id @map("ant_id")\n  zebras Zebra[]\n  @@map("ants")\n}\n',
    ],
    [
      "three models in a circle, out of order",
      "model C {\n  id Int @id\n  as A[]\n  bs B[]\n}\nmodel B {\n  id Int @id\n  cs C[]\n  as A[]\n}\nmodel A {\n  id Int @id\n  bs B[]\n  cs C[]\n}\n",
    ],
    ["ends that are ignored", related.replaceAll("[]", "[] @ignore")],
  ])("%s", async (_, content) => {
    const [translated, own] = await Promise.all([scriptOf("", content, true), scriptOf("", content, false)])
    expect(own).toContain("_AB_pkey")
    expect(translated).toBe(withUniqueIndex(own))
    expect(await scriptOf(content, "", true)).toBe(await scriptOf(content, "", false))
  })

  test("in schemas of their own", async () => {
    const head = 'generator js {\n  provider = "prisma-client-js"\n}\n'
    const content = related.replaceAll("[]\n}", '[]\n  @@schema("other")\n}')
    const files = [
      {
        path: "a.prisma",
        content: `datasource db {\n  provider = "postgresql"\n  schemas = ["public", "other"]\n}\n${head}`,
      },
      { path: "b.prisma", content },
    ]
    const diff = async (given: typeof files) =>
      (await engine.diff({ tag: "empty" }, { tag: "schemaDatamodel", ...container(given) }, "script")).text
    expect(await diff([...withRelationTables(files)])).toBe(withUniqueIndex(await diff(files)))
  })
})

test("every line of the author's stays where it is", () => {
  const [file] = withRelationTables([{ path: "schema.prisma", content: related }])
  expect(file?.content.split("\n").filter((line) => related.includes(line))).toEqual(
    expect.arrayContaining(["model A {", "model B {", "  id Int @id"]),
  )
  expect(file?.content.split("\n").indexOf("model B {")).toBe(related.split("\n").indexOf("model B {"))
})

test.each([
  [
    "a list and a single field",
    "model A {\n  bs B[]\n}\nmodel B {\n  a A @relation(fields: [i], references: [i])\n}\n",
  ],
  ["a model between", "model A {\n  cs C[]\n}\nmodel B {\n  cs C[]\n}\nmodel C {\n  a A\n  b B\n}\n"],
  ["lists of values", "enum B {\n  as\n}\nmodel A {\n  bs B[]\n  texts String[]\n}\n"],
  ["a comment", "model A {\n  bs B[]\n}\nmodel B {\n  // as A[]\n}\n"],
])("%s is no implicit relation", (_, content) => {
  const files = [{ path: "schema.prisma", content }]
  expect(withRelationTables(files)).toEqual(files)
})

test("a relation whose model has no single @id is refused, with both ends and the way on", () => {
  const content = "model A {\n  x Int\n  y Int\n  bs B[]\n  @@id([x, y])\n}\nmodel B {\n  id Int @id\n  as A[]\n}\n"
  expect(() => withRelationTables([{ path: "schema.prisma", content }])).toThrow(
    expect.objectContaining({
      code: "L1419",
      details: expect.objectContaining({
        file: "schema.prisma",
        line: 4,
        hint: expect.stringContaining("schema.prisma:4: A.bs B[]\nschema.prisma:9: B.as A[]"),
      }),
    }),
  )
})
