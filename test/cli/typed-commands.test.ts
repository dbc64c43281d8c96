import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { type Caller, detectCaller, typedCommands } from "../../src/cli/typed-commands.js"
import { lockstep, repository } from "../support/cli.js"
import { createProject } from "../support/project.js"

const alone: Caller = {
  ...{ dagger: undefined, installer: "npm", manager: undefined, fetchedBy: undefined, scripts: {}, makefile: "" },
}
const typed = (words: string, caller: Partial<Caller>) =>
  typedCommands(`next: \`${words}\`, then look`, () => ({ ...alone, ...caller }))
    .replace("next: ", "")
    .replace(", then look", "")

const scripts = {
  start: "lockstep deploy && node server.js",
  "db:migrate:draft": "lockstep migrate --create-only",
  "db:deploy": "lockstep deploy",
  "db:status": "DATABASE_URL=$STAGING lockstep plan",
  "db:where": "node dist/cli.js status",
  undo: "npx lockstep undo",
}
const makefile =
  "build:\n\tnode build.js\n\ntest-db: build ## start it\n\t@echo hello\n\t@$(LOCKSTEP) test-db up --deploy\n"

const cases: readonly (readonly [words: string, caller: Partial<Caller>, expected: string])[] = [
  ["lockstep deploy --resume", {}, "lockstep deploy --resume"],
  ["lockstep deploy --resume", { manager: "npm" }, "npx lockstep deploy --resume"],
  ["lockstep deploy --resume", { manager: "pnpm" }, "pnpm exec lockstep deploy --resume"],
  ["lockstep deploy --resume", { manager: "yarn" }, "yarn lockstep deploy --resume"],
  ["lockstep deploy --resume", { manager: "bun" }, "bunx lockstep deploy --resume"],
  ["prisma generate", { manager: "pnpm" }, "pnpm exec prisma generate"],
  ["lockstep init --yes", { fetchedBy: "npx" }, "npx prisma-lockstep init --yes"],
  ["prisma init", { fetchedBy: "npx" }, "npx prisma init"],

  ["npm install --save-dev prisma", { installer: "pnpm" }, "pnpm add -D prisma"],
  ["npm install --save-dev prisma", { installer: "bun" }, "bun add -d prisma"],
  ["npm install --save-dev prisma", {}, "npm install --save-dev prisma"],
  ["npm install", { installer: "pnpm" }, "pnpm install"],
  ["npm install", {}, "npm install"],
  ["npm install prisma@7 @prisma/client@7", { installer: "yarn" }, "yarn add prisma@7 @prisma/client@7"],

  ["lockstep deploy", { manager: "npm", scripts }, "npm run db:deploy"],
  ["lockstep deploy --resume", { manager: "npm", scripts }, "npm run db:deploy -- --resume"],
  ["lockstep deploy --resume", { manager: "pnpm", scripts }, "pnpm db:deploy --resume"],
  ["lockstep deploy --resume", { manager: "yarn", scripts }, "yarn db:deploy --resume"],
  ["lockstep deploy --resume", { manager: "bun", scripts }, "bun run db:deploy --resume"],
  ["lockstep undo", { manager: "pnpm", scripts }, "pnpm run undo"],
  ["lockstep status", { manager: "pnpm", scripts }, "pnpm db:where"],
  ["lockstep migrate --create-only --name x", { manager: "pnpm", scripts }, "pnpm db:migrate:draft --name x"],
  ["lockstep migrate --name x", { manager: "pnpm", scripts }, "pnpm exec lockstep migrate --name x"],
  ["lockstep plan", { manager: "pnpm", scripts }, "pnpm exec lockstep plan"],
  ["lockstep deploy", { manager: undefined, scripts }, "lockstep deploy"],

  ["lockstep test-db up", { manager: "npm", makefile }, "make test-db"],
  ["lockstep test-db up --deploy", { manager: "npm", makefile }, "make test-db"],
  ["lockstep test-db down", { manager: "npm", makefile }, "npx lockstep test-db down"],
  ["lockstep test-db up", { manager: "npm", makefile: "test-db:\n\tdocker compose up\n" }, "npx lockstep test-db up"],

  [
    "lockstep backfill --targets …",
    { dagger: "dagger call" },
    "dagger call fleet-backfill --targets file://targets.txt",
  ],
  [
    "lockstep backfill one --restart",
    { dagger: "dagger call" },
    "dagger call backfill --database-url env://DATABASE_URL --options=one --options=--restart",
  ],
  ["lockstep deploy --targets …", { dagger: "dagger call" }, "dagger call fleet-deploy --targets file://targets.txt"],
  ["lockstep status", { dagger: "dagger call" }, "dagger call status --database-url env://DATABASE_URL"],
  [
    "lockstep deploy --resume",
    { dagger: "dagger -m infra call", manager: "pnpm", scripts },
    "dagger -m infra call deploy --database-url env://DATABASE_URL --options=--resume",
  ],
  [
    "lockstep resolve --rolled-back 20260101000000_a",
    { dagger: "dagger call" },
    "dagger call resolve --database-url env://DATABASE_URL --rolled-back 20260101000000_a",
  ],
  ["lockstep migrate --name x", { dagger: "dagger call" }, "dagger call migrate --name x"],
  ["lockstep undo 1_x --update-schema", { dagger: "dagger call" }, "dagger call undo --name 1_x --update-schema"],
  ["lockstep undo 1_x --draft", { dagger: "dagger call", manager: "npm" }, "npx lockstep undo 1_x --draft"],
  ["lockstep squash", { dagger: "dagger call", manager: "yarn" }, "yarn lockstep squash"],
  ["lockstep deploy --help", { dagger: "dagger call", manager: "npm" }, "npx lockstep deploy --help"],
]

test.each(cases.map(([words, caller, expected]) => [words, expected, caller] as const))(
  "`%s` is typed: %s",
  (words, expected, caller) => {
    expect(typed(words, caller)).toBe(expected)
  },
)

test("who calls is only asked for where a text has a command", () => {
  const nobody = () => {
    throw new Error("asked")
  }
  expect(typedCommands("nothing to do in `lockstep`, and `DISCARD ALL` stays", nobody)).toBe(
    "nothing to do in `lockstep`, and `DISCARD ALL` stays",
  )
  expect(() => typedCommands("`lockstep deploy`", nobody)).toThrow("asked")
})

test("several commands of a text are each replaced", () => {
  expect(typedCommands("`lockstep status`\n`lockstep deploy`", () => ({ ...alone, manager: "npm" }))).toBe(
    "npx lockstep status\nnpx lockstep deploy",
  )
})

describe("the caller of a project", () => {
  const installed = { "package.json": '{ "devDependencies": { "prisma-lockstep": "1" }, "scripts": { "a": "b" } }' }
  const tools = createProject({ files: { npx: "", pnpm: "", yarn: "", bunx: "" } })
  const PATH = `/nowhere:${tools.root}`

  test.each([
    ["package-lock.json", "npm"],
    ["pnpm-lock.yaml", "pnpm"],
    ["yarn.lock", "yarn"],
    ["bun.lock", "bun"],
    ["bun.lockb", "bun"],
    ["README.md", "npm"],
  ])("with %s uses %s", (lockfile, manager) => {
    const { root } = createProject({ files: { ...installed, [lockfile]: "" } })
    expect(detectCaller(root, { PATH })).toEqual({
      dagger: undefined,
      installer: manager,
      manager,
      scripts: { a: "b" },
      makefile: "",
    })
  })

  test("that has not installed the package, and called it by npx, calls it so again", () => {
    const env = { PATH, npm_lifecycle_event: "npx", npm_lifecycle_script: "'prisma-lockstep' init" }
    expect(detectCaller(createProject().root, env)).toMatchObject({ manager: undefined, fetchedBy: "npx" })
    expect(detectCaller(createProject().root, { ...env, npm_lifecycle_script: "prisma migrate deploy" })).toMatchObject(
      {
        fetchedBy: undefined,
      },
    )
  })

  test("in a monorepo uses the lockfile above it", () => {
    const { root } = createProject({
      files: { "pnpm-lock.yaml": "", "apps/shop/package.json": installed["package.json"] },
    })
    expect(detectCaller(join(root, "apps/shop"), { PATH }).manager).toBe("pnpm")
  })

  test.each(["pnpm", "npx"])("with only %s on PATH has the package manager of its lockfile", (program) => {
    const { root } = createProject({ files: { ...installed, "pnpm-lock.yaml": "" } })
    const tools = createProject({ files: { [program]: "" } })
    expect(detectCaller(root, { PATH: tools.root }).manager).toBe("pnpm")
  })

  test("with no package manager at all, as in a small image, has the command alone", () => {
    const { root } = createProject({ files: { ...installed, "pnpm-lock.yaml": "" } })
    expect(detectCaller(root, { PATH: "/nowhere" }).manager).toBeUndefined()
  })

  test("whose package.json names its package manager uses that", () => {
    const named = installed["package.json"].replace("{", '{ "packageManager": "yarn@4.9.1",')
    const { root } = createProject({ files: { "package.json": named, "package-lock.json": "" } })
    expect(detectCaller(root, { PATH }).manager).toBe("yarn")
  })

  test("that did not install Lockstep has the command alone: npx would fetch another package of that name", () => {
    const { root } = createProject({ files: { "package.json": "{}", "pnpm-lock.yaml": "" } })
    expect(detectCaller(root, { PATH })).toMatchObject({ manager: undefined, installer: "pnpm" })
  })

  test("inside of the Dagger module is named by its variable, whatever PATH holds there", () => {
    const { root } = createProject({ files: { ...installed, "yarn.lock": "" } })
    expect(detectCaller(root, { PATH: "/nowhere", LOCKSTEP_CALLED_BY: "dagger call" })).toMatchObject({
      ...{ dagger: "dagger call", manager: "yarn" },
    })
  })

  test("in this repository has its scripts and make targets", () => {
    const caller = detectCaller(repository, { PATH })
    expect(readFileSync(join(repository, "Makefile"), "utf8")).toBe(caller.makefile)
    expect(typedCommands("`lockstep deploy --resume`", () => caller)).toBe("pnpm db:deploy --resume")
    expect(typedCommands("`lockstep test-db up`", () => caller)).toBe("make test-db")
  })
})

test.each([
  ["people", [], "package-lock.json", "npm run db -- up --deploy"],
  ["programs", ["--json"], "package-lock.json", "npm run db -- up --deploy"],
  ["people", [], "pnpm-lock.yaml", "pnpm run db up --deploy"],
])("what leaves the command for %s %j names its script as %s has it typed", async (_who, flags, lockfile, next) => {
  const { root } = createProject({
    files: {
      "package.json": '{ "devDependencies": { "prisma-lockstep": "1" }, "scripts": { "db": "lockstep test-db" } }',
      [lockfile]: "{}",
    },
  })
  const { all } = await lockstep(["test-db", "url", ...flags], { cwd: root })
  expect(all).toContain(next)
  expect(all).not.toContain("`")
})
