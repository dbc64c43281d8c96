import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { LockstepError } from "../../src/errors.js"
import { findTarget, inTermsOf, shadowUrlOf, urlEnvironment } from "../../src/project/database-url.js"
import { loadProject } from "../../src/project/project.js"
import { down, up } from "../../src/test-db/server.js"
import { copyCluster } from "../support/cluster.js"
import { createProject } from "../support/project.js"

beforeEach(() => {
  for (const name of ["DATABASE_URL", "DIRECT_URL", "POSTGRES_URL", "SHADOW_URL", "LOCKSTEP_DATABASE_HOST"])
    vi.stubEnv(name, undefined)
})
afterEach(() => void vi.unstubAllEnvs())

async function target(files: Record<string, string>) {
  const { root } = createProject({ files })
  const { url, source, isTestDatabase } = await findTarget(await loadProject({ root }, "everything"))
  return { host: url.host, source, isTestDatabase }
}

const config = (url: string) => ({
  "prisma.config.ts": `import { env } from "prisma/config"\nexport default { datasource: { url: ${url} } }`,
})
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

describe("the variable that the schema or the prisma.config names", () => {
  const environment = (variables: Record<string, string>) => {
    for (const [name, host] of Object.entries(variables)) vi.stubEnv(name, `postgresql://${host}/db`)
  }
  const both = schema('  url = env("DATABASE_URL")\n  directUrl = env("DIRECT_URL")')

  test.each([
    ["wins over DATABASE_URL", schema('  url = env("POSTGRES_URL")'), { POSTGRES_URL: "named" }, "POSTGRES_URL"],
    ["wins over DATABASE_URL, directUrl's as well", both, { DIRECT_URL: "named" }, "DIRECT_URL"],
    ["is env()'s", config('env("POSTGRES_URL")'), { POSTGRES_URL: "named" }, "POSTGRES_URL"],
    ["is process.env's", config('process.env["POSTGRES_URL"]'), { POSTGRES_URL: "named" }, "POSTGRES_URL"],
    [
      "is the prisma.config's where the schema names another",
      { ...schema('  url = env("DIRECT_URL")'), ...config('env("POSTGRES_URL")') },
      { POSTGRES_URL: "named", DIRECT_URL: "schema" },
      "POSTGRES_URL",
    ],
    [
      "is directUrl's in the prisma.config of Prisma 6",
      config('env("POSTGRES_URL"), directUrl: process.env.DIRECT_URL'),
      { POSTGRES_URL: "pooled", DIRECT_URL: "named" },
      "DIRECT_URL",
    ],
  ])("%s", async (_, files, variables, source) => {
    environment({ DATABASE_URL: "other", ...variables })
    expect(await target(files)).toMatchObject({ host: "named", source })
  })

  test("is url's where directUrl's is not set", async () => {
    environment({ DATABASE_URL: "pooled" })
    expect(await target(both)).toMatchObject({ host: "pooled", source: "DATABASE_URL" })
  })

  test("is read from .env before DATABASE_URL is, as Prisma reads nothing else", async () => {
    environment({ DATABASE_URL: "other" })
    const files = { ...schema('  url = env("POSTGRES_URL")'), "prisma/.env": "POSTGRES_URL=postgresql://dotenv/db" }
    expect(await target(files)).toMatchObject({ host: "dotenv", source: "POSTGRES_URL in prisma/.env" })
  })

  test("gives way to DATABASE_URL where it is not set, and the source says so", async () => {
    environment({ DATABASE_URL: "other" })
    const source = "DATABASE_URL (POSTGRES_URL: not set)"
    expect(await target(schema('  url = env("POSTGRES_URL")'))).toMatchObject({ host: "other", source })
    expect(await target(config('env("POSTGRES_URL")'))).toMatchObject({ host: "other", source })
  })

  test("is the one that an error names, with the place that names it", async () => {
    await expect(target(schema('  url = env("POSTGRES_URL")'))).rejects.toMatchObject({
      code: "L1205",
      message: "no database URL: POSTGRES_URL is not set, no .env holds it, and no test database is running",
      details: {
        hint: "POSTGRES_URL: named by prisma/schema.prisma:3.",
        next: expect.stringContaining("set POSTGRES_URL,"),
      },
    })
    await expect(target(both)).rejects.toMatchObject({
      message: expect.stringContaining("DIRECT_URL and DATABASE_URL are not set, no .env holds them"),
      details: { next: expect.stringContaining("set DIRECT_URL,") },
    })
    await expect(target(config('env("POSTGRES_URL")'))).rejects.toMatchObject({
      details: { hint: "POSTGRES_URL: named by prisma.config.ts." },
    })
  })
})

test("an error that says DATABASE_URL in general names the project's own variable", async () => {
  const { root } = createProject({ files: schema('  url = env("POSTGRES_URL")') })
  const project = await loadProject({ root }, "everything")
  const error = new LockstepError("L1201", "no connection", { next: "set DATABASE_URL, or DATABASE_URL_FILE" })
  expect(inTermsOf(project, error)).toMatchObject({ details: { next: "set POSTGRES_URL, or DATABASE_URL_FILE" } })
})

test("a program of the project finds the URL in each variable that its schema names", async () => {
  const lines = '  url = env("POSTGRES_URL")\n  directUrl = env("DIRECT_URL")'
  const { root } = createProject({ files: schema(lines) })
  const url = "postgresql://seeded/db"
  expect(urlEnvironment(await loadProject({ root }, "everything"), url)).toEqual({
    ...{ POSTGRES_URL: url, DIRECT_URL: url, DATABASE_URL: url },
  })
})

test("a URL that is written out in an older schema comes after DATABASE_URL", async () => {
  const files = schema('  url = "postgresql://written/db"')
  expect(await target(files)).toMatchObject({ host: "written", source: "prisma/schema.prisma:3" })
  vi.stubEnv("DATABASE_URL", "postgresql://environment/db")
  expect(await target(files)).toMatchObject({ host: "environment", source: "DATABASE_URL" })
})

describe("the shadow database", () => {
  const shadow = async (files: Record<string, string>) =>
    shadowUrlOf(await loadProject({ root: createProject({ files }).root }, "everything"))

  test("is the older schema's", async () => {
    const files = schema('  url = env("POSTGRES_URL")\n  shadowDatabaseUrl = env("SHADOW_URL")')
    expect(await shadow(files)).toBeUndefined()
    expect(await shadow({ ...files, ".env": "SHADOW_URL=postgresql://dotenv/shadow" })).toBe(
      "postgresql://dotenv/shadow",
    )
    vi.stubEnv("SHADOW_URL", "postgresql://environment/shadow")
    expect(await shadow(files)).toBe("postgresql://environment/shadow")
    const written = schema('  shadowDatabaseUrl = "postgresql://written/shadow"')
    expect(await shadow(written)).toBe("postgresql://written/shadow")
  })

  test("is the prisma.config's where it names one", async () => {
    const files = {
      ...schema('  shadowDatabaseUrl = "postgresql://written/shadow"'),
      "prisma.config.ts": 'export default { datasource: { shadowDatabaseUrl: "postgresql://config/shadow" } }',
    }
    expect(await shadow(files)).toBe("postgresql://config/shadow")
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
  await copyCluster(root)
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
