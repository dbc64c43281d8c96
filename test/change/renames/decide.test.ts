import { expect, test } from "vitest"
import { type Answer, decide } from "../../../src/change/renames/decide.js"
import { flagFor } from "../../../src/change/renames/flags.js"
import type { Column, Structure, Table } from "../../../src/postgres/structure.js"
import { schemaNames } from "../../../src/project/schema-blocks.js"

const schema = "public"
const column = (name: string, type = "text"): Column => ({ id: 0, name, type, enum: null, references: null })
const table = (name: string, ...columns: readonly Column[]): Table => ({ id: 0, schema, name, columns, parts: [] })
const structure = (tables: readonly Table[], values: Readonly<Record<string, readonly string[]>> = {}): Structure => ({
  tables,
  enums: Object.entries(values).map(([name, values]) => ({
    ...{ id: 0, schema, name },
    values: values.map((name) => ({ id: 0, name })),
  })),
})

/** The flags of what nobody decided. */
async function openBetween(from: Structure, to: Structure): Promise<readonly string[]> {
  const ask = async (): Promise<Answer> => ({ answer: "none" })
  const { open, renames } = await decide(from, to, { told: [], names: [], ask })
  expect(renames).toEqual([])
  return open.map((rename) => flagFor(rename, schema))
}

const id = column("id", "integer")

test.each<[string, Structure, Structure, readonly string[]]>([
  [
    "a column of another type is no candidate",
    structure([table("User", id, column("name"))]),
    structure([table("User", id, column("age", "integer"))]),
    [],
  ],
  [
    "each new column of the same type is one",
    structure([table("User", id, column("name"))]),
    structure([table("User", id, column("title"), column("label"))]),
    ["--rename User.name=title", "--rename User.name=label"],
  ],
  [
    "a name within the other comes first",
    structure([table("User", id, column("name"))]),
    structure([table("User", id, column("title"), column("fullName"))]),
    ["--rename User.name=fullName", "--rename User.name=title"],
  ],
  [
    "a column of another table is none",
    structure([table("User", id, column("name")), table("Post", id)]),
    structure([table("User", id), table("Post", id, column("name"))]),
    [],
  ],
  [
    "a table with half of the columns is one, and then so are its columns",
    structure([table("User", id, column("name"))]),
    structure([table("Account", id, column("title"))]),
    ["--rename User=Account", "--rename Account.name=title"],
  ],
  [
    "a table with other columns is none",
    structure([table("User", id, column("name"), column("email"))]),
    structure([table("Order", id, column("total"), column("note"))]),
    [],
  ],
  [
    "an enum with half of the values, and its values",
    structure([], { Role: ["ADMIN", "USER"] }),
    structure([], { Level: ["ADMIN", "MEMBER"] }),
    ["--rename Role=Level", "--rename Level.USER=MEMBER"],
  ],
  ["nothing is gone", structure([table("User", id)]), structure([table("User", id, column("name"))]), []],
  [
    "a name that a shell would read otherwise is quoted",
    structure([table("my users", id, column("a"))]),
    structure([table("my users", id, column("it's"))]),
    ["--rename 'my users.a=it'\\''s'"],
  ],
])("%s", async (_, from, to, flags) => {
  expect(await openBetween(from, to)).toEqual(flags)
})

const names = schemaNames([
  {
    path: "schema.prisma",
    content: `
// model Commented { }
model Account {
  id    Int     @id // the "key" }
  title String? @map("display_name") @default("{}")
  @@map("accounts")
}
enum Level {
  ADMIN
  MEMBER @map("member")
  @@map(name: "levels")
}`,
  },
])

test("the names of the Prisma schema are read with what they are in the database", () => {
  expect(names).toEqual([
    {
      ...{ kind: "model", name: "Account", mapped: "accounts" },
      fields: new Map([
        ["id", "id"],
        ["title", "display_name"],
      ]),
    },
    {
      ...{ kind: "enum", name: "Level", mapped: "levels" },
      fields: new Map([
        ["ADMIN", "ADMIN"],
        ["MEMBER", "member"],
      ]),
    },
  ])
})

const from = structure([table("users", id, column("name"))], { roles: ["ADMIN", "USER"] })
const to = structure([table("accounts", id, column("display_name"))], { levels: ["ADMIN", "member"] })

test.each([
  ["the database's names", ["roles=levels", "users=accounts", "accounts.name=display_name", "levels.USER=member"]],
  ["the schema's names", ["roles=Level", "users=Account", "Account.name=title", "Level.USER=MEMBER"]],
  ["the names before", ["roles=levels", "users=accounts", "users.name=title", "roles.USER=member"]],
  ["names with their schema", ["public.users=accounts", "public.accounts.name=accounts.display_name"]],
])("what was renamed may be told by %s", async (_, told) => {
  const ask = async (): Promise<Answer> => ({ answer: "dropped" })
  const { renames } = await decide(from, to, { told, names, ask })
  expect(renames).toHaveLength(told.length)
})

test("a column may be told that also has another type", async () => {
  const told = ["users.name=age"]
  const goal = structure([table("users", id, column("age", "bigint"))])
  const ask = async (): Promise<Answer> => ({ answer: "none" })
  const { renames } = await decide(structure([table("users", id, column("name"))]), goal, { told, names: [], ask })
  expect(renames).toEqual([{ kind: "column", schema, table: "users", from: "name", to: "age" }])
})
