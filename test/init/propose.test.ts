import { describe, expect, test } from "vitest"
import { proposeDagger } from "../../src/init/dagger.js"
import { proposePackageJson } from "../../src/init/package-json.js"
import { proposePrismaConfig } from "../../src/init/prisma-config.js"
import { propose, proposeGitignore, proposeMakefile } from "../../src/init/propose.js"
import { applied, run, settingOf } from "./repositories.js"

describe("package.json", () => {
  test("gets the scripts and the dependency, formatted as it is", () => {
    const text =
      '{\n\t"name": "shop",\n\t"scripts": {\n\t\t"test": "vitest"\n\t},\n\t"devDependencies": {\n\t\t"prisma": "7.10.1",\n\t\t"typescript": "5.9.3"\n\t}\n}\n'
    const { after, again, notes } = run(proposePackageJson, { "package.json": text })
    expect(after["package.json"]).toBe(
      text
        .replace(
          '"test": "vitest"',
          '"test": "vitest",\n\t\t"db:migrate": "lockstep migrate",\n\t\t"db:deploy": "lockstep deploy",\n\t\t"db:status": "lockstep status",\n\t\t"db:push": "lockstep push",\n\t\t"db:generate": "lockstep generate"',
        )
        .replace('"prisma": "7.10.1",', '"prisma": "7.10.1",\n\t\t"prisma-lockstep": "^1.2.3",'),
    )
    expect([again, notes]).toEqual([[], []])
  })

  test("keeps a script that a person wrote, and says so", () => {
    const text = '{\n  "scripts": { "db:deploy": "prisma migrate deploy && ./notify.sh" }\n}\n'
    const { after, notes } = run(proposePackageJson, { "package.json": text })
    expect(after["package.json"]).toContain('"db:deploy": "prisma migrate deploy && ./notify.sh"')
    expect(notes.join()).toContain("the script db:deploy is yours (prisma migrate deploy && ./notify.sh) and stays")
  })

  test("keeps its line ends", () => {
    const { after } = run(proposePackageJson, { "package.json": '{\r\n    "name": "shop"\r\n}\r\n' })
    expect(after["package.json"]?.replaceAll("\r\n", "")).not.toContain("\n")
    expect(after["package.json"]).toContain('\r\n    "scripts": {\r\n        "db:migrate"')
  })

  test("a dependency that is declared stays as it is declared", () => {
    const text = '{ "dependencies": { "prisma-lockstep": "file:../lockstep.tgz" } }'
    expect(run(proposePackageJson, { "package.json": text }).after["package.json"]).not.toContain("1.2.3")
  })
})

describe("the Makefile", () => {
  test("gets the targets at its end", () => {
    const { after, again, notes } = run(proposeMakefile, { Makefile: "build:\n\tgo build\n", "pnpm-lock.yaml": "" })
    expect(after.Makefile).toMatch(/^build:\n\tgo build\n\n# Migrations/)
    expect(after.Makefile).toContain("\ntest-db: ## ")
    expect(after.Makefile).toContain("\n\t@pnpm exec lockstep test-db up --deploy\n\t@pnpm exec lockstep generate\n")
    expect([again, notes]).toEqual([[], []])
  })

  test("a target of the same name stays, and is named with what Lockstep's would do", () => {
    const { after, notes } = run(proposeMakefile, { Makefile: ".PHONY: clean test-db\nclean:\n\trm -rf dist\n" })
    expect(after.Makefile?.match(/^clean:/gm)).toHaveLength(1)
    expect(after.Makefile).toContain(".PHONY: test-db test-db-migrate\n")
    expect(notes).toEqual(["Makefile: the target clean is yours and stays; Lockstep's does: npx lockstep test-db down"])
  })

  test("of a folder above the project begins there", () => {
    const files = { Makefile: "all:\n", "packages/db/package.json": "{}" }
    const { after } = run(proposeMakefile, files, {}, { at: "packages/db" })
    expect(after.Makefile).toContain("\t@cd packages/db && npx lockstep test-db up --deploy\n")
  })

  test("is not made where there is none", () => {
    expect(run(proposeMakefile, { "package.json": "{}" }).paths).toEqual([])
  })
})

describe("prisma.config", () => {
  const module = '{ "type": "module", "devDependencies": { "prisma": "^7.0.0" } }'
  const config = `import "dotenv/config";
import { defineConfig, env } from "prisma/config";

export default defineConfig({
  schema: "prisma/schema.prisma",
  datasource: { url: env("DATABASE_URL") },
});
`

  test("of Prisma 7's own making gets Lockstep's engine around its settings", () => {
    const { after, again } = run(proposePrismaConfig, { "package.json": module, "prisma.config.ts": config })
    expect(after["prisma.config.ts"]).toBe(`import "dotenv/config";
import { defineConfig, env } from "prisma/config";
import { lockstep } from "prisma-lockstep/config";

export default defineConfig(await lockstep({
  schema: "prisma/schema.prisma",
  datasource: { url: env("DATABASE_URL") },
}));
`)
    expect(again).toEqual([])
  })

  test("without a call, and without an import", () => {
    const text = 'export default {\n  schema: "a.prisma",\n}\n'
    const { after } = run(proposePrismaConfig, { "package.json": module, "prisma.config.mjs": text })
    expect(after["prisma.config.mjs"]).toBe(
      'import { lockstep } from "prisma-lockstep/config"\n\nexport default await lockstep({\n  schema: "a.prisma",\n})\n',
    )
  })

  test.each([
    ["another form", { "package.json": module, "prisma.config.ts": "const c = make()\nexport default c\n" }],
    [
      "CommonJS",
      {
        "package.json": '{ "devDependencies": { "prisma": "7.1.0" } }',
        "tsconfig.json": '{ "compilerOptions": { "module": "CommonJS" } }',
        "prisma.config.ts": config,
      },
    ],
  ])("of %s stays, and the person is told", (_, files) => {
    const { paths, notes } = run(proposePrismaConfig, files)
    expect(paths).toEqual([])
    expect(notes.join()).toContain("prisma.config.ts is left as it is")
  })

  test("is made for Prisma 7, which cannot do without, and not for Prisma 6", () => {
    const made = run(proposePrismaConfig, { "package.json": module })
    expect(made.after["prisma.config.ts"]).toContain('migrations: { path: "prisma/migrations" }')
    expect(made.again).toEqual([])
    expect(run(proposePrismaConfig, { "package.json": '{ "devDependencies": { "prisma": "6.19.0" } }' }).paths).toEqual(
      [],
    )
  })
})

describe("dagger.json", () => {
  const address = "github.com/owner/lockstep@v1.2.3"

  test("gets the toolchain where the address is given", () => {
    const files = { "dagger.json": '{\n  "name": "shop",\n  "engineVersion": "v0.21.8"\n}\n' }
    const { after, again } = run(proposeDagger, files, { dagger: address })
    expect(JSON.parse(after["dagger.json"] ?? "")).toEqual({
      name: "shop",
      engineVersion: "v0.21.8",
      toolchains: [{ name: "lockstep", source: address }],
    })
    expect(again).toEqual([])
  })

  test("keeps the others", () => {
    const files = { "dagger.json": '{ "name": "shop", "toolchains": [{ "name": "go", "source": "x" }] }' }
    const { after } = run(proposeDagger, files, { dagger: address })
    expect(JSON.parse(after["dagger.json"] ?? "").toolchains).toEqual([
      { name: "go", source: "x" },
      { name: "lockstep", source: address },
    ])
  })

  test("is made only where it is asked for", () => {
    expect(run(proposeDagger, { "package.json": '{ "name": "@acme/shop" }' }).paths).toEqual([])
    const { after } = run(proposeDagger, { "package.json": '{ "name": "@acme/shop" }' }, { dagger: address })
    expect(JSON.parse(after["dagger.json"] ?? "")).toMatchObject({ name: "shop", toolchains: [{ source: address }] })
  })

  test("without the address the person is told how", () => {
    expect(run(proposeDagger, { "dagger.json": '{ "name": "shop" }' }).notes.join()).toContain("--dagger ADDRESS")
  })
})

describe(".gitignore", () => {
  test.each([
    ["node_modules/", "node_modules/\n.lockstep/\n"],
    ["/.lockstep\n", "/.lockstep\n"],
    ["**/.lockstep/\n", "**/.lockstep/\n"],
  ])("%j becomes %j", (before, after) => {
    expect(run(proposeGitignore, { ".gitignore": before })).toMatchObject({ after: { ".gitignore": after }, again: [] })
  })
})

test("all of it at once: a second run has nothing to do, and what was there is still there", () => {
  const files = {
    "package.json": '{\n  "name": "shop",\n  "type": "module",\n  "devDependencies": { "prisma": "7.10.1" }\n}\n',
    "prisma/schema.prisma": 'datasource db {\n  provider = "postgresql"\n}\n',
    Makefile: "build:\n\ttrue\n",
    ".github/workflows/ci.yml": "name: ci\n",
    ".gitignore": "node_modules\n",
  }
  const proposal = propose(settingOf(files, { dagger: "github.com/owner/lockstep@v1" }))
  expect(proposal.changes.map(({ path }) => path)).toEqual([
    "package.json",
    "prisma.config.ts",
    "Makefile",
    "dagger.json",
    ".github/workflows/migrations.yml",
    ".gitignore",
  ])
  const after = applied(files, proposal)
  expect(propose(settingOf(after, { dagger: "github.com/owner/lockstep@v1" })).changes).toEqual([])
  for (const [path, text] of Object.entries(files).filter(([name]) => name !== "package.json"))
    expect(after[path]?.startsWith(text)).toBe(true)
})
