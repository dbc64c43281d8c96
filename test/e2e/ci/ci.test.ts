import { existsSync, readdirSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { execa } from "execa"
import { describe, expect, test } from "vitest"
import { parseAllDocuments } from "yaml"
import { cliPath, environment, repository } from "../../support/cli.js"
import { createProject } from "../../support/project.js"
import { readCore, readModule } from "./ci-api.js"
import { problemsOf } from "./ci-command-line.js"
import { daggerLines } from "./ci-lines.js"

const read = (path: string): string => readFileSync(join(repository, path), "utf8")
const under = (folder: string): string[] =>
  readdirSync(join(repository, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(repository.length + 1))

const pipelines = under("docs/ci").filter((path) => !path.endsWith(".md"))
const workflows = under(".github/workflows")
const files = ["README.md", "dagger/README.md", ...under("docs"), ...workflows]

describe("every dagger command line names what the module really has", () => {
  const module_ = readModule(
    under("dagger/src")
      .filter((path) => path.endsWith(".ts"))
      .map(read),
  )
  const { name } = JSON.parse(existsSync(join(repository, "dagger.json")) ? read("dagger.json") : '{"name":"lockstep"}')
  const main = module_.get("Lockstep")
  if (!main) throw new Error("dagger/src holds the class Lockstep")
  const client = createRequire(import.meta.url).resolve("@dagger.io/dagger")
  const core = readCore(readFileSync(join(dirname(client), "api/client.gen.d.ts"), "utf8"))
  const known = { name, main, types: new Map([...core, ...module_]) }

  const examples = readModule([read("dagger/examples/typescript/src/index.ts")])
  const example = { name: "examples", main: examples.get("Examples") ?? main, types: new Map([...core, ...examples]) }

  test.each(files.filter((path) => daggerLines(path, read(path)).length > 0))("%s", (path) => {
    const wrong = daggerLines(path, read(path)).flatMap((line) =>
      problemsOf(line, line.includes("$LOCKSTEP_EXAMPLES") ? example : known).map((problem) => `${line}: ${problem}`),
    )
    expect(wrong).toEqual([])
  })

  test.each(pipelines.filter((path) => !path.includes("without-dagger")))(
    "%s checks, verifies, publishes, deploys, asks",
    (path) => {
      const lines = daggerLines(path, read(path)).join("\n")
      for (const word of [
        "dagger check",
        " verify",
        " publish --address",
        " deploy --database-url",
        " status --database-url",
      ])
        expect(lines).toContain(word)
    },
  )
})

describe("pipelines", () => {
  test.each([...pipelines, ...workflows].filter((path) => /\.ya?ml$/.test(path)))(
    "%s is YAML without errors",
    (path) => {
      const [document, ...others] = parseAllDocuments(read(path))
      expect(document?.errors).toEqual([])
      expect(document?.warnings).toEqual([])
      expect(others).toEqual([])
    },
  )

  test.each(pipelines.filter((path) => path.endsWith(".sh")))(
    "%s is a script that the shell can read",
    async (path) => {
      const { stderr } = await execa("sh", ["-n", join(repository, path)], { reject: false })
      expect(stderr).toBe("")
    },
  )

  test("the index names every file", () => {
    for (const path of pipelines) expect(read("docs/ci/README.md")).toContain(`](${path.slice("docs/ci/".length)})`)
  })

  test("all pin the engine's version that the module is made for", () => {
    const engine = existsSync(join(repository, "dagger.json"))
      ? JSON.parse(read("dagger.json")).engineVersion
      : "v0.21.8"
    const pinned = [...pipelines, ...workflows].flatMap((path) =>
      [...read(path).matchAll(/(?:DAGGER_VERSION=|Dagger CLI )(\S+?)\.?$|DAGGER_VERSION=(\S+)/gm)].map(
        ([, a, b]) => a ?? b,
      ),
    )
    expect(new Set(pinned.map((version) => `v${version}`))).toEqual(new Set([engine]))
  })

  test("none holds a database URL: it comes from the CI's secrets", () => {
    for (const path of pipelines) expect(read(path)).not.toMatch(/postgres(ql)?:\/\//)
  })
})

describe("docs/ci/without-dagger.sh", () => {
  /** pnpm as a project with the runner has it; installing and generating are not what is shown here. */
  const pnpm = `#!/bin/sh
case "$*" in
  "exec lockstep "*) shift 2; exec node "$CLI" "$@" ;;
  db:deploy | db:status) exec node "$CLI" "\${1#db:}" ;;
  "install --frozen-lockfile" | db:generate) ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
`
  const run = (migrations: Record<string, string>) => {
    const project = createProject({ migrations, files: { "bin/pnpm": pnpm } })
    const script = `chmod +x bin/pnpm; PATH="$PWD/bin:$PATH"; sh "${join(repository, "docs/ci/without-dagger.sh")}" verify`
    const options = {
      cwd: project.root,
      env: environment({ CLI: cliPath }),
      extendEnv: false,
      reject: false,
      all: true,
    }
    return { project, done: execa("sh", ["-c", script], options) }
  }
  const stopped = async (root: string) =>
    (
      await execa("node", [cliPath, "test-db", "url"], {
        cwd: root,
        env: environment(),
        extendEnv: false,
        reject: false,
      })
    ).exitCode === 1

  test("applies the history on a database of its own, and leaves none running", async () => {
    const { project, done } = run({ "20260101000000_init": "CREATE TABLE a (id int);" })
    const { exitCode, all } = await done
    expect(all).toContain("Up to date: 1 of 1 migrations applied.")
    expect(exitCode).toBe(0)
    expect(await stopped(project.root)).toBe(true)
  })

  test("fails with the deploy, and leaves none running either", async () => {
    const { project, done } = run({ "20260101000000_init": "CREATE TABLE a (id nothing);" })
    const { exitCode, all } = await done
    expect(all).toContain("20260101000000_init/migration.sql:1:")
    expect(exitCode).toBe(1)
    expect(await stopped(project.root)).toBe(true)
  })
})
