import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { findTarget } from "../../src/project/database-url.js"
import { loadProject } from "../../src/project/project.js"
import { down, up } from "../../src/test-db/server.js"
import { createProject } from "../support/project.js"

beforeEach(() => {
  for (const name of ["DATABASE_URL", "DIRECT_URL", "POSTGRES_URL", "LOCKSTEP_DATABASE_HOST"])
    vi.stubEnv(name, undefined)
})
afterEach(() => void vi.unstubAllEnvs())

async function target(files: Record<string, string>) {
  const { root } = createProject({ files })
  const { url, source, isTestDatabase } = await findTarget(await loadProject({ root }, "everything"))
  return { host: url.host, source, isTestDatabase }
}

const config = (url: string) => ({ "prisma.config.ts": `export default { datasource: { url: ${url} } }` })
const dotenv = { ".env": 'DATABASE_URL="postgresql://dotenv/db"\nDIRECT_URL="postgresql://direct/db"\n' }
const schema = (lines: string) => ({
  "prisma/schema.prisma": `datasource db {\n  provider = "postgresql"\n${lines}\n}\n`,
})

describe("the URL comes from the first of", () => {
  test("DATABASE_URL in the environment", async () => {
    vi.stubEnv("DATABASE_URL", "postgresql://environment/db")
    expect(await target({ ...config('"postgresql://config/db"'), ...dotenv })).toEqual({
      host: "environment",
      source: "DATABASE_URL",
      isTestDatabase: false,
    })
  })

  test("the prisma.config", async () => {
    const found = await target({ ...config('"postgresql://config/db"'), ...dotenv })
    expect(found).toMatchObject({ host: "config", source: "prisma.config.ts" })
  })

  test(".env, also where a prisma.config passes its value on", async () => {
    expect(await target(dotenv)).toMatchObject({ host: "dotenv", source: "DATABASE_URL in .env" })
    const passedOn = { ...config("process.env.DATABASE_URL"), ...dotenv }
    expect(await target(passedOn)).toMatchObject({ host: "dotenv", source: "DATABASE_URL in .env" })
    const set = {
      "prisma.config.ts":
        'process.env.DATABASE_URL = "postgresql://dotenv/db"\nexport default { datasource: { url: process.env.DATABASE_URL } }',
    }
    expect(await target({ ...set, ...dotenv })).toMatchObject({ host: "dotenv", source: "DATABASE_URL in .env" })
  })

  test("what the prisma.config put into the environment", async () => {
    const files = { "prisma.config.ts": 'process.env.DATABASE_URL = "postgresql://set/db"\nexport default {}' }
    expect(await target(files)).toMatchObject({ host: "set", source: "DATABASE_URL, set by prisma.config.ts" })
  })

  test("the variable that an older schema names; directUrl before url, as migrations need a session", async () => {
    const pooled = '  url = env("POSTGRES_URL")\n  directUrl = env("DIRECT_URL")'
    const variables = 'POSTGRES_URL="postgresql://pooled/db"\n'
    expect(await target({ ...schema('  url = env("POSTGRES_URL")'), ".env": variables })).toMatchObject({
      host: "pooled",
      source: "POSTGRES_URL in .env",
    })
    expect(
      await target({ ...schema(pooled), ".env": `${variables}DIRECT_URL="postgresql://direct/db"\n` }),
    ).toMatchObject({
      host: "direct",
      source: "DIRECT_URL in .env",
    })
  })
})

test("without any of them the message lists the places that were searched", async () => {
  await expect(target({})).rejects.toMatchObject({
    code: "L1205",
    message: "no database URL: DATABASE_URL is not set, no .env holds it, and no test database is running",
  })
})

test("the running test database comes last, and is recognised whatever names it", async () => {
  const { root, write } = createProject()
  const { url } = await up(root)
  try {
    const find = async () => {
      const { source, isTestDatabase } = await findTarget(await loadProject({ root }, "everything"))
      return { source, isTestDatabase }
    }
    expect(await find()).toEqual({ source: "the test database", isTestDatabase: true })
    vi.stubEnv("DATABASE_URL", `${url}?schema=shop`)
    expect(await find()).toEqual({ source: "DATABASE_URL", isTestDatabase: true })
    vi.stubEnv("DATABASE_URL", url.replace(/lockstep$/, "postgres"))
    expect(await find()).toEqual({ source: "DATABASE_URL", isTestDatabase: false })
    vi.stubEnv("DATABASE_URL", undefined)
    write("prisma.config.ts", `export default { datasource: { url: "${url}" } }`)
    expect(await find()).toEqual({ source: "the test database", isTestDatabase: true })
  } finally {
    await down(root)
  }
})
