import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { expand, readDotenv } from "../../src/project/environment.js"
import { createProject } from "../support/project.js"

test("they are read beside the project, beside the schema, then in prisma/, each once", () => {
  const files = { ".env": "A=1", "db/.env": "A=2", "prisma/.env": "A=3", "other/.env": "A=4" }
  const { root } = createProject({ files })
  const values = (schema?: string) => readDotenv(root, schema && join(root, schema)).map(({ variables }) => variables.A)
  expect(values("db/schema.prisma")).toEqual(["1", "2", "3"])
  expect(values("prisma/schema.prisma")).toEqual(["1", "3"])
  expect(values()).toEqual(["1", "3"])
})

test("they are not put into the environment", () => {
  const { root } = createProject({ files: { ".env": "LOCKSTEP_TEST_NEVER_SET=1" } })
  readDotenv(root, undefined)
  expect(process.env.LOCKSTEP_TEST_NEVER_SET).toBeUndefined()
})

describe("values refer to other variables, as Prisma expands them", () => {
  const url = (text: string, variables: Record<string, string> = {}, environment = {}) =>
    expand({ ...variables, URL: text }, environment).URL

  test.each([
    [`postgresql://\${DB_USER}:$PASS@h/\${DB}`, "postgresql://app:secret@h/shop"],
    [`\${MISSING:-fallback} \${MISSING-other} \${DB:-unused}`, "fallback other shop"],
    [`\${MISSING}`, ""],
    [`\${NESTED}`, "shop!"],
    ["pa\\$DB", "pa$DB"],
    ["pa$word 5$ $", "pa$word 5$ $"],
  ])("%s", (text, expected) => {
    const variables = { DB_USER: "app", PASS: "secret", DB: "shop", NESTED: `\${DB}!` }
    expect(url(text, variables)).toBe(expected)
  })

  test("the environment wins, and is taken as it is", () => {
    expect(url("$DB", { DB: "shop" }, { DB: "a$URL" })).toBe("a$URL")
  })

  test("a variable that refers to itself comes to an end", () => {
    expect(url(`\${URL}x`)).toMatch(/^x+$/)
  })
})
