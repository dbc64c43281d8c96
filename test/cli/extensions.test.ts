import { expect, test } from "vitest"
import { requireExtensions } from "../../src/cli/extensions.js"
import { readFolder } from "../../src/history/folder.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { serverUrl } from "../support/postgres.js"
import { createProject } from "../support/project.js"

const check = (sql: string) => {
  const { migrationsDir } = createProject({ migrations: { "20260101000000_x": sql } })
  return requireExtensions(parseDatabaseUrl(serverUrl()), readFolder(migrationsDir))
}

test.each([
  ["that the server brings", `CREATE EXTENSION IF NOT EXISTS citext;\nCREATE EXTENSION "uuid-ossp";`],
  ["in a comment or a string", `-- CREATE EXTENSION vector\nSELECT 'create extension vector';`],
  ["none", "SELECT 1;"],
])("an extension %s is no obstacle", async (_, sql) => {
  await expect(check(sql)).resolves.toBeUndefined()
})

test.each([
  ["vector", "such as a container of the image pgvector/pgvector:pg18"],
  ["nowhere", "set DATABASE_URL to a server that has it, then"],
])("%s is refused with its place and what takes the server's place", async (extension, next) => {
  await expect(check(`SELECT 1;\n  CREATE EXTENSION IF NOT EXISTS ${extension};`)).rejects.toMatchObject({
    code: "L1512",
    details: { line: 2, column: 3, next: expect.stringContaining(next) },
  })
})
