import { describe, expect, test } from "vitest"
import { extensionsIn, extensionsInSchema, withoutExtensions } from "../../src/project/extensions.js"

describe("the extensions", () => {
  test("of the schema, by the names that the database has", () => {
    const text =
      'datasource db {\n  extensions = [citext, uuidOssp(map: "uuid-ossp", schema: "x"), vector(version: "0.7")]\n}'
    expect([...extensionsInSchema(text).keys()]).toEqual(["citext", "uuid-ossp", "vector"])
  })

  test("of the history, as the parser reads it", async () => {
    const migration = (name: string, text: string) => ({ name, text })
    const migrations = [
      migration(
        "1",
        "-- CREATE EXTENSION comment;\nCREATE EXTENSION IF NOT EXISTS \"uuid-ossp\"; SELECT 'CREATE EXTENSION text';",
      ),
      migration("2", "CREATE EXTENSION citext; CREATE EXTENSION vector;"),
      migration("3", "DROP EXTENSION citext, vector CASCADE;"),
    ]
    expect([...(await extensionsIn(migrations))]).toEqual([["uuid-ossp", "1"]])
  })
})

test.each([
  ["[citext, vector]", ["citext"], "[        vector]"],
  ["[citext, vector]", ["vector"], "[citext        ]"],
  ["[citext]", ["citext"], "[      ]"],
  ['[uuidOssp(map: "uuid-ossp", schema: "x"), citext]', ["uuid-ossp"], `[${" ".repeat(41)}citext]`],
  ["[citext]", ["uuidOssp"], "[citext]"],
])("of %s without %j the list is %s", (list, names, left) => {
  const schema = (extensions: string) => [
    { path: "schema.prisma", content: `datasource db {\n  extensions = ${extensions} // all\n}\n` },
  ]
  expect(withoutExtensions(schema(list), new Set(names))).toEqual(schema(left))
})
