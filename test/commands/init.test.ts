import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { execa } from "execa"
import { describe, expect, test } from "vitest"
import { objectsIn } from "../e2e/json.js"
import { environment } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createProject, type ProjectFiles, type TestProject } from "../support/project.js"
import { migrations, schema } from "../support/shop.js"

const manifest = '{\n  "name": "shop",\n  "type": "module",\n  "devDependencies": {\n    "prisma": "6.19.0"\n  }\n}\n'

/** A project in a git repository of its own, with everything committed. */
async function openRepository(files: ProjectFiles = {}) {
  const project = createProject({
    migrations,
    schema,
    ...files,
    files: { "package.json": manifest, "package-lock.json": "{}\n", Makefile: "build:\n\ttrue\n", ...files.files },
  })
  const git = (...args: readonly string[]) => execa("git", args, { cwd: project.root, env: environment() })
  await git("init", "--quiet")
  await git("add", ".")
  await git("-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "all")
  return { project, git, run: (...args: readonly string[]) => lockstep(["init", ...args], { cwd: project.root }) }
}

const read = ({ root }: TestProject, path: string): string => readFileSync(join(root, path), "utf8")

describe("lockstep init", () => {
  test("prints what it found and the diff, and writes nothing without a yes", async () => {
    const { git, run } = await openRepository()
    const { exitCode, stderr } = await run()
    expect(exitCode).toBe(2)
    for (const words of [
      "schema           prisma/schema.prisma, 2 models, postgresql",
      "package manager  npm",
      "error[L1702]",
    ])
      expect(stderr).toContain(words)
    expect(stderr).toContain('+    "db:deploy": "lockstep deploy"')
    expect((await git("status", "--porcelain")).stdout).toBe("")
  })

  test("--yes writes it, a second run has nothing to do, and what it prints takes it back", async () => {
    const { project, git, run } = await openRepository()
    const { exitCode, stderr } = await run("--yes", "--ci", "plain")
    expect(exitCode).toBe(0)
    expect(JSON.parse(read(project, "package.json"))).toMatchObject({ scripts: { "db:status": "lockstep status" } })
    expect(read(project, "Makefile")).toContain("\n\t@npx lockstep test-db up --deploy\n")
    await execa("sh", ["-n", "ci/migrations.sh"], { cwd: project.root })
    expect(await run("--ci", "plain")).toMatchObject({ exitCode: 0, stdout: "Nothing to do: this project is set up." })
    const undo = /^To undo: (.*)$/m.exec(stderr)?.[1] ?? ""
    await execa("sh", ["-c", undo], { cwd: project.root, env: environment() })
    expect((await git("status", "--porcelain")).stdout).toBe("")
  })

  test("--dry-run prints a patch that git applies", async () => {
    const { project, git, run } = await openRepository()
    const { exitCode, stdout } = await run("--dry-run", "--ci", "github")
    expect(exitCode).toBe(0)
    expect((await git("status", "--porcelain")).stdout).toBe("")
    await execa("git", ["apply", "-"], { cwd: project.root, input: `${stdout}\n`, env: environment() })
    expect(read(project, ".github/workflows/migrations.yml")).toContain("npx lockstep check")
    expect(await run("--ci", "github")).toMatchObject({ stdout: "Nothing to do: this project is set up." })
  })

  test("--json names what it found and each change", async () => {
    const { run } = await openRepository()
    const [dry] = objectsIn((await run("--dry-run", "--json")).stdout)
    expect(dry).toMatchObject({
      state: "dry run",
      found: { prisma: "6.19.0", schema: { models: 2 } },
      changes: [{ path: "package.json", state: "changed" }, { path: "Makefile" }, { path: ".gitignore", state: "new" }],
    })
    expect(objectsIn((await run("--yes", "--json")).stdout)).toMatchObject([{ state: "written" }])
    expect(objectsIn((await run("--json")).stdout)).toMatchObject([{ state: "nothing", changes: [] }])
  })

  test("a configuration that cannot be loaded yet does not stop it", async () => {
    const config = 'import { x } from "no-such-package"\nexport default {\n  schema: "./db/schema.prisma",\n}\n'
    const { run } = await openRepository({ files: { "prisma.config.mjs": config, "db/schema.prisma": schema } })
    const { stderr } = await run("--dry-run")
    expect(stderr).toContain("prisma.config.mjs cannot be loaded")
    expect(stderr).toContain("db/schema.prisma, 2 models")
  })

  test.each([
    { named: "url and directUrl of a schema", url: '  url = env("SHOP_POOL")\n  directUrl = env("SHOP")\n' },
    {
      named: "prisma.config",
      config: '// url: env("OLD")\nexport default { datasource: { url: process.env.SHOP } }\n',
    },
    {
      named: "one that cannot be loaded yet",
      config: 'import "none"\nexport default { datasource: { url: env("SHOP") } }\n',
    },
  ])("the chart's init container has the database's variables: $named", async ({ url = "", config }) => {
    const deployment = "kind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n        - image: shop\n"
    const files = { "chart/Chart.yaml": "name: shop\n", "chart/templates/deployment.yaml": deployment }
    const { run } = await openRepository({
      schema: schema.replace('"postgresql"\n', `"postgresql"\n${url}`),
      files: config === undefined ? files : { ...files, "prisma.config.mjs": config },
    })
    const { stdout, stderr } = await run("--dry-run")
    const names = stdout.match(/(?<=^\+.*- name: )[A-Z_]+$/gm)
    expect(names).toEqual(url === "" ? ["SHOP"] : ["SHOP", "SHOP_POOL"])
    expect(stderr).toContain(`database         ${names?.join(", ")}\n`)
  })

  test("of another database's project it says what it is for", async () => {
    const { run } = await openRepository({ schema: schema.replace("postgresql", "mysql") })
    expect(await run("--yes")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('"mysql"') })
  })

  test("at a workspace's root it names the packages that have a schema", async () => {
    const files = { "package.json": '{ "workspaces": ["packages/*"] }', "packages/db/package.json": "{}\n" }
    const project = createProject({ files: { ...files, "packages/db/prisma/schema.prisma": schema } })
    const { exitCode, stderr } = await lockstep(["init"], { cwd: project.root })
    expect(exitCode).toBe(2)
    expect(stderr).toContain("These packages of the repository have one: packages/db")
    const inside = await lockstep(["init", "--dry-run", "--ci", "github"], { cwd: join(project.root, "packages/db") })
    expect(inside).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("working-directory: packages/db") })
    expect(inside.stdout).toContain("b/packages/db/package.json")
  })
})

describe("lockstep init --example", () => {
  const example = (cwd: string, ...args: readonly string[]) => lockstep(["init", "--example", ...args], { cwd })

  test("makes a shop, with what to type next", async () => {
    const { root } = createProject()
    const { exitCode, stdout, stderr } = await example(root)
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "A shop with 12 migrations, in shop" })
    expect(stderr).toContain("cd shop\n  npm install\n  npx lockstep test-db up --deploy\n")
    expect(readdirSync(join(root, "shop")).sort()).toEqual([".gitignore", "package.json", "prisma", "prisma.config.ts"])
    const set = await lockstep(["init"], { cwd: join(root, "shop") })
    expect(set.stdout).toBe("Nothing to do: this project is set up.")
  })

  test("does not write into a folder that holds something", async () => {
    const { root } = createProject()
    expect(await example(root, ".")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("error[L1703]") })
    expect(existsSync(join(root, "prisma.config.ts"))).toBe(false)
    const [answer] = objectsIn((await example(root, "other", "--json")).stdout)
    expect(answer).toMatchObject({ state: "example", files: expect.arrayContaining(["prisma/seed.ts"]) })
  })
})
