import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { execa } from "execa"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { environment, repository } from "../support/cli.js"
import { createProject, type TestProject } from "../support/project.js"
import { examples } from "./library-examples.js"

const { dependencies } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"))

const config = `import { lockstep } from "prisma-lockstep/config"
export default lockstep({ schema: "prisma/schema.prisma", migrations: { path: "prisma/migrations" } })
`

const library = `import { type DeployEvent, LockstepError, version } from "prisma-lockstep"
import { lockstep } from "prisma-lockstep/config"

export const text: string = version
// @ts-expect-error it is a text, and not any
export const number: number = version
export const code = (error: LockstepError): \`L\${number}\` => error.code
export const event = (event: DeployEvent): string => event.event
// @ts-expect-error no event has this property
export const unknown = (event: DeployEvent) => event.nothing
// @ts-expect-error Prisma has no such setting
export default lockstep({ schem: "prisma/schema.prisma" })
`

/** Documented code has to type-check as well; a project that has Vitest has that one's types. */
const documented = Object.entries(examples).filter(([path]) => path !== "vitest.config.ts")
const sources: Readonly<Record<string, string>> = {
  "library.mts": library,
  ...Object.fromEntries(documented.map(([path, code]) => [path.replace(/ts$/, "mts"), code])),
}

/** A new project that has installed the package: what npm packs, and only the dependencies that it names. */
let project: TestProject
const packing = mkdtempSync(join(tmpdir(), "lockstep-pack-"))

beforeAll(async () => {
  // In a copy: packing builds dist/ again, which other tests are running.
  for (const name of ["src", "prisma", "build.js", "package.json", "tsconfig.json", "README.md", "LICENSE"])
    cpSync(join(repository, name), join(packing, name), {
      recursive: true,
      filter: (path) => path !== join(repository, "src/generated"),
    })
  symlinkSync(join(repository, "node_modules"), join(packing, "node_modules"))
  const options = { cwd: packing, env: environment(), extendEnv: false }
  await execa(process.execPath, ["build.js"], options)
  // Where npm runs no scripts the package holds all of it as well.
  const { stdout } = await execa("npm", ["pack", "--silent", "--ignore-scripts"], options)
  const tarball = join(packing, stdout.trim().split("\n").at(-1) ?? "")
  const schema = 'datasource db {\n  provider = "postgresql"\n}\n\nmodel Customer {\n  id Int @id\n}\n'
  const migrations = { "20260101000000_init": 'CREATE TABLE "Customer" ("id" INTEGER PRIMARY KEY);\n' }
  project = createProject({ schema, migrations, files: { "prisma.config.ts": config, ...sources } })
  const modules = join(project.root, "node_modules")
  mkdirSync(join(modules, ".bin"), { recursive: true })
  await execa("tar", ["-xzf", tarball, "-C", modules])
  await execa("mv", ["package", "prisma-lockstep"], { cwd: modules })
  // Prisma brings the types of Node with it.
  for (const name of [...Object.keys(dependencies), "prisma", "typescript", "@types/node"]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(repository, "node_modules", name), join(modules, name))
  }
  // The second is what `npx prisma-lockstep` runs.
  for (const name of ["lockstep", "prisma-lockstep"])
    symlinkSync("../prisma-lockstep/dist/cli.js", join(modules, ".bin", name))
})

afterAll(() => {
  project.drop()
  rmSync(packing, { recursive: true, force: true })
})

const run = (command: string, ...args: readonly string[]) => runIn(project.root, command, ...args)

const runIn = (cwd: string, command: string, ...args: readonly string[]) =>
  execa(join(project.root, "node_modules/.bin", command), args, {
    cwd,
    env: environment(),
    extendEnv: false,
    reject: false,
    all: true,
  })

test("a new project gets a test database with its migrations, its state, and its next migration", async () => {
  try {
    const up = await run("lockstep", "test-db", "up", "--deploy")
    expect(up).toMatchObject({ exitCode: 0, all: expect.stringContaining("1 applied") })
    const status = await run("lockstep", "status")
    expect(status).toMatchObject({ exitCode: 0, stdout: "Up to date: 1 of 1 migrations applied." })
    project.write("prisma/schema.prisma", `${schemaOf(project)}model Order {\n  id Int @id\n}\n`)
    const migrate = await run("lockstep", "migrate", "--name", "orders")
    expect(migrate).toMatchObject({ exitCode: 0, all: expect.stringContaining('CREATE TABLE "Order"') })
    expect(await run("lockstep", "status")).toMatchObject({ stdout: "Up to date: 2 of 2 migrations applied." })
  } finally {
    await run("lockstep", "test-db", "down")
  }
})

test("the example is made, and its next migration is made and deployed", async () => {
  expect(await run("prisma-lockstep", "init", "--example", "example")).toMatchObject({ exitCode: 0 })
  const example = join(project.root, "example")
  symlinkSync(join(project.root, "node_modules"), join(example, "node_modules"))
  try {
    const up = await runIn(example, "lockstep", "test-db", "up", "--deploy")
    expect(up).toMatchObject({ exitCode: 0, all: expect.stringContaining("12 applied") })
    const path = join(example, "prisma/schema.prisma")
    writeFileSync(path, readFileSync(path, "utf8").replace("model Tag {", "model Tag {\n  colour String?"))
    const migrate = await runIn(example, "lockstep", "migrate", "--name", "tag_colour")
    expect(migrate).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('ADD COLUMN     "colour" TEXT') })
    const status = await runIn(example, "lockstep", "status")
    expect(status).toMatchObject({ exitCode: 0, stdout: "Up to date: 13 of 13 migrations applied." })
  } finally {
    await runIn(example, "lockstep", "test-db", "down")
  }
})

const schemaOf = ({ root }: TestProject): string => readFileSync(join(root, "prisma/schema.prisma"), "utf8")

describe("the library's types", () => {
  test("hold in a project that has installed Prisma and TypeScript alone", async () => {
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--types", "node"]
    const compiler = join(project.root, "node_modules/typescript/bin/tsc")
    const { all, exitCode } = await execa(
      process.execPath,
      [compiler, ...options, "--skipLibCheck", ...Object.keys(sources)],
      {
        cwd: project.root,
        reject: false,
        all: true,
      },
    )
    expect({ all, exitCode }).toEqual({ all: "", exitCode: 0 })
  })

  test("import nothing but Node's types and those of Prisma", () => {
    const declarations = ["index.d.ts", "config.d.ts"].map((name) =>
      readFileSync(join(project.root, "node_modules/prisma-lockstep/dist", name), "utf8"),
    )
    const imported = declarations.flatMap((text) =>
      [...text.matchAll(/^import .* from "(.*)"/gm)].map(([, from]) => from),
    )
    expect(imported).toEqual(["prisma/config"])
  })
})
