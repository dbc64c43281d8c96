import { join } from "node:path"
import { afterEach, describe, expect, test, vi } from "vitest"
import { findConfig, readConfig } from "../../src/project/config.js"
import { createProject } from "../support/project.js"

afterEach(() => void vi.unstubAllEnvs())

const nothing = { tables: [], enums: [] }
const read = (name: string, content: string, files: Record<string, string> = {}) => {
  const { root } = createProject({ files: { [name]: content, ...files } })
  return readConfig(join(root, name), { FROM_DOTENV: "postgresql://dotenv/db" }).then(({ path, ...rest }) => ({
    ...rest,
    schema: rest.schema?.replace(root, ""),
    migrations: rest.migrations?.replace(root, ""),
  }))
}

const body = `{ schema: "db", migrations: { path: "db/history", seed: "tsx seed.ts" }, datasource: { url: "postgresql://h/d" } }`
const expected = {
  ...{ schema: "/db", migrations: "/db/history", seed: "tsx seed.ts", url: "postgresql://h/d" },
  ...{ shadowUrl: undefined, initShadowDb: undefined, external: nothing },
  unsetVariables: [],
}

describe("every form of prisma.config that Prisma takes", () => {
  test.each([
    [
      "prisma.config.ts",
      `import { defineConfig, type PrismaConfig } from "prisma/config"\nexport default defineConfig(${body} satisfies PrismaConfig)`,
    ],
    ["prisma.config.mts", `import { defineConfig } from "@prisma/config"\nexport default defineConfig(${body})`],
    ["prisma.config.mjs", `export default ${body}`],
    ["prisma.config.mjs", `import { defineConfig } from "prisma/config"\nexport default defineConfig(${body})`],
    ["prisma.config.js", `export default ${body}`],
    ["prisma.config.js", `const { defineConfig } = require("prisma/config")\nmodule.exports = defineConfig(${body})`],
    ["prisma.config.cjs", `module.exports = ${body}`],
    ["prisma.config.ts", `const config = await Promise.resolve(${body})\nexport default config`],
  ])("%s: %s", async (name, content) => {
    expect(await read(name, content)).toEqual(expected)
  })

  test("paths start at the configuration's own folder, and it may import the project's files", async () => {
    const content = `import { url } from "../src/url"\nexport default { schema: "schema.prisma", datasource: { url } }`
    const config = await read(".config/prisma.ts", content, {
      "src/url.ts": 'export const url: string = "postgresql://h/d"',
    })
    expect(config).toMatchObject({ schema: "/.config/schema.prisma", url: "postgresql://h/d" })
  })

  test("external tables and enums, and SQL for the shadow database, are read", async () => {
    const content = `export default { experimental: { externalTables: true }, tables: { external: ["public.geo"] },
      enums: { external: ["kind"] }, migrations: { initShadowDb: "CREATE EXTENSION x" } }`
    expect(await read("prisma.config.ts", content)).toMatchObject({
      external: { tables: ["public.geo"], enums: ["kind"] },
      initShadowDb: "CREATE EXTENSION x",
    })
  })
})

describe("env()", () => {
  const content = (name: string) =>
    `import { env } from "prisma/config"\nexport default { datasource: { url: env("${name}") } }`

  test("gives the environment's value, else that of .env, else nothing: Prisma would throw", async () => {
    vi.stubEnv("LOCKSTEP_TEST_URL", "postgresql://environment/db")
    expect((await read("prisma.config.ts", content("LOCKSTEP_TEST_URL"))).url).toBe("postgresql://environment/db")
    expect((await read("prisma.config.ts", content("FROM_DOTENV"))).url).toBe("postgresql://dotenv/db")
    expect((await read("prisma.config.ts", content("LOCKSTEP_TEST_NOT_SET"))).url).toBeUndefined()
  })

  test("names what is not in the environment, for which Prisma would throw", async () => {
    vi.stubEnv("LOCKSTEP_TEST_URL", "postgresql://environment/db")
    const unset = async (name: string) => (await read("prisma.config.ts", content(name))).unsetVariables
    expect(await unset("LOCKSTEP_TEST_URL")).toEqual([])
    expect(await unset("FROM_DOTENV")).toEqual(["FROM_DOTENV"])
    expect(await unset("LOCKSTEP_TEST_NOT_SET")).toEqual(["LOCKSTEP_TEST_NOT_SET"])
  })

  test("the environment wins over .env", async () => {
    vi.stubEnv("FROM_DOTENV", "postgresql://environment/db")
    expect((await read("prisma.config.ts", content("FROM_DOTENV"))).url).toBe("postgresql://environment/db")
  })
})

test("what a configuration prints is kept off stdout", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined)
  const error = vi.spyOn(console, "error").mockImplementation(() => undefined)
  await read("prisma.config.ts", `console.log("injecting env (1) from .env")\nexport default {}`)
  expect(log).not.toHaveBeenCalled()
  expect(error).toHaveBeenCalledWith("injecting env (1) from .env")
})

describe("a configuration that cannot be used", () => {
  test("is an error with the reason that it cannot be loaded", async () => {
    await expect(read("prisma.config.ts", 'import "no-such-package"\nexport default {}')).rejects.toMatchObject({
      code: "L1303",
      message: expect.stringMatching(/prisma\.config\.ts cannot be loaded: .*no-such-package/),
    })
    await expect(read("prisma.config.ts", "export default {{")).rejects.toMatchObject({ code: "L1303" })
  })

  test("names every key that holds something else than Prisma documents", async () => {
    const failure = read("prisma.config.ts", 'export default { schema: 1, migrations: "db" }')
    await expect(failure).rejects.toMatchObject({
      code: "L1303",
      details: { hint: expect.stringMatching(/schema[\s\S]*migrations|migrations[\s\S]*schema/) },
    })
  })
})

describe("where it is looked for", () => {
  const found = (files: string[], named?: string) => {
    const { root } = createProject({ files: Object.fromEntries(files.map((file) => [file, ""])) })
    return findConfig(root, named)?.replace(`${root}/`, "")
  }

  test("Prisma 7's own names first, then the common ones, then .config/", () => {
    expect(found(["prisma.config.ts", "prisma7.config.ts"])).toBe("prisma7.config.ts")
    expect(found([".config/prisma.ts", "prisma.config.mjs"])).toBe("prisma.config.mjs")
    expect(found(["prisma.config.ts", "prisma.config.js"])).toBe("prisma.config.js")
    expect(found([".config/prisma.ts"])).toBe(".config/prisma.ts")
    expect(found(["prisma.config/index.ts"])).toBe("prisma.config/index.ts")
    expect(found([])).toBeUndefined()
  })

  test("--config names another, which must be there", () => {
    expect(found(["prisma.config.ts", "db/prisma.config.ts"], "db/prisma.config.ts")).toBe("db/prisma.config.ts")
    expect(() => found([], "gone.ts")).toThrow(expect.objectContaining({ code: "L1303" }))
  })
})
