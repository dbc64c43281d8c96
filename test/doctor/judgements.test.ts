import { describe, expect, test } from "vitest"
import { strangeIn } from "../../src/doctor/history.js"
import { copies, ignoredBy } from "../../src/doctor/image.js"
import { runsOnNode, versionsFit } from "../../src/doctor/project.js"
import { poolerIn, versionFits } from "../../src/doctor/server.js"

test.each([
  ["v20.18.3", false],
  ["v20.19.0", true],
  ["v21.7.0", false],
  ["v22.11.0", false],
  ["v22.12.0", true],
  ["v23.5.0", false],
  ["v24.0.0", true],
  ["v26.1.0", true],
])("Node %s: %s", (version, expected) => expect(runsOnNode(version)).toBe(expected))

test.each([
  [{ prisma: "7.10.1", client: "7.10.0" }, "passed"],
  [{ prisma: "6.19.0", client: undefined }, "passed"],
  [{ prisma: "7.10.1", client: "7.2.0" }, "warned"],
  [{ prisma: undefined, client: "7.2.0" }, "warned"],
  [{ prisma: "7.10.1", client: "6.19.0" }, "failed"],
  [{ prisma: "4.16.2", client: "4.16.2" }, "failed"],
  [{ prisma: "8.0.0", client: "8.0.0" }, "failed"],
])("%o %s", (versions, state) => expect(versionsFit(versions).state).toBe(state))

test.each([
  [true, "`npm install`"],
  [false, "`npm install --save-dev prisma`"],
])("Prisma that is not installed, and named in package.json (%s), is installed by %s", (isNamed, next) =>
  expect(versionsFit({ prisma: undefined, client: undefined, isNamed })).toMatchObject({ problems: [{ next }] }),
)

test.each([
  [120_022, "failed"],
  [130_000, "passed"],
  [180_004, "passed"],
  [190_000, "warned"],
])("PostgreSQL %i %s", (number, state) => expect(versionFits(number).state).toBe(state))

test.each([
  [{ host: "db.internal", port: 5432, pgbouncer: false }, false],
  [{ host: "ep-x-pooler.eu.aws.neon.tech", port: 5432, pgbouncer: false }, true],
  [{ host: "aws-0-eu.pooler.supabase.com", port: 5432, pgbouncer: false }, true],
  [{ host: "db.internal", port: 6432, pgbouncer: false }, true],
  [{ host: "db.internal", port: 5432, pgbouncer: true }, true],
])("a pooler at %o: %s", (url, expected) => expect(poolerIn(url) !== undefined).toBe(expected))

describe("a row", () => {
  const row = {
    id: "0b7a4f0e-9d3b-4f0e-8f50-0a4e6d2f6a11",
    name: "a",
    checksum: "a".repeat(64),
    startedAt: "2026-01-01T00:00:00.000Z",
    finishedAt: "2026-01-01T00:00:01.000Z",
    rolledBackAt: null,
    steps: 1,
    logs: null,
  }

  test("of Prisma's or Lockstep's is not strange", () => {
    expect(strangeIn(row)).toEqual([])
    expect(strangeIn({ ...row, finishedAt: null, steps: 0 })).toEqual([])
    expect(strangeIn({ ...row, checksum: "a".repeat(61) })).toEqual([])
  })

  test.each([{ id: "1" }, { checksum: "" }, { finishedAt: "2025-01-01T00:00:00.000Z" }, { steps: -1 }])(
    "with %o is",
    (change) => {
      expect(strangeIn({ ...row, ...change })).toHaveLength(1)
    },
  )
})

const folder = "prisma/migrations"

test.each([
  ["node_modules\n.git\n", false],
  ["prisma\n", true],
  ["prisma/migrations/\n", true],
  ["./prisma/migrations/**\n", true],
  ["**/migrations\n", true],
  ["*\n!prisma\n", false],
  ["*\n!dist\n", true],
  ["**/*.sql\n", true],
  ["# prisma\n", false],
])(".dockerignore %j leaves the migrations out: %s", (text, expected) => {
  expect(ignoredBy(text, folder) !== undefined).toBe(expected)
})

test.each([
  ["FROM node\nCOPY . .\n", true],
  ["FROM node\nCOPY package.json ./\nCOPY prisma ./prisma/\n", true],
  ["FROM node\nCOPY --chown=node:node package.json prisma/ ./\n", true],
  ['FROM node\nCOPY ["./prisma", "/app/prisma"]\n', true],
  ["FROM node\nCOPY dist ./dist\n", false],
  ["FROM node AS build\nWORKDIR /app\nCOPY . .\nFROM node\nCOPY --from=build /app /app\n", true],
  ["FROM node AS build\nWORKDIR /app\nCOPY . .\nFROM node\nCOPY --from=build /app/prisma ./prisma\n", true],
  ["FROM node AS build\nWORKDIR /app\nCOPY . .\nFROM node\nCOPY --from=build /app/dist ./dist\n", false],
  ["FROM node AS base\nCOPY . .\nFROM base\nUSER node\n", true],
  ["FROM node\nCOPY \\\n  prisma \\\n  ./prisma\n", true],
])("a Dockerfile %j copies the migrations: %s", (text, expected) => expect(copies(text, folder)).toBe(expected))
