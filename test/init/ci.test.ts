import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execa } from "execa"
import { describe, expect, test } from "vitest"
import { parse, parseDocument } from "yaml"
import { proposeCi } from "../../src/init/ci.js"
import { run } from "./repositories.js"

const pnpm = { "pnpm-lock.yaml": "", "package.json": "{}" }

/** What every pipeline does, whatever the CI. */
const verifies = [
  "pnpm install --frozen-lockfile",
  "pnpm exec lockstep test-db up --deploy",
  "pnpm exec lockstep status",
  "pnpm exec lockstep check",
]

describe("GitHub Actions", () => {
  test("get a workflow of their own", () => {
    const { after, paths, again } = run(proposeCi, { ...pnpm, ".github/workflows/ci.yml": "name: ci\n" })
    expect(paths).toEqual([".github/workflows/migrations.yml"])
    const { on, jobs } = parse(after[".github/workflows/migrations.yml"] ?? "")
    expect(Object.keys(on)).toEqual(["pull_request", "push"])
    const steps: { run?: string; uses?: string }[] = jobs.migrations.steps
    expect(steps.flatMap(({ run }) => run ?? [])).toEqual(verifies)
    expect(steps.map(({ uses }) => uses)).toContain("pnpm/action-setup@v4")
    expect(jobs.migrations.steps[0]).toMatchObject({ with: { "fetch-depth": 0 } })
    expect(again).toEqual([])
  })

  test("of a package in a workspace work in its folder", () => {
    const { after } = run(proposeCi, { ...pnpm, ".github/workflows/ci.yml": "" }, {}, { at: "packages/db" })
    const { jobs } = parse(after[".github/workflows/migrations.yml"] ?? "")
    expect(jobs.migrations.defaults).toEqual({ run: { "working-directory": "packages/db" } })
  })

  test("with the toolchain run Dagger", () => {
    const { after } = run(proposeCi, { ...pnpm, ".github/workflows/ci.yml": "" }, { dagger: "github.com/o/l@v1" })
    const { jobs } = parse(after[".github/workflows/migrations.yml"] ?? "")
    expect(JSON.stringify(jobs.migrations.steps)).toContain("dagger check --progress=plain")
  })

  test("that run Lockstep already, or have a file of that name, keep what they have", () => {
    expect(run(proposeCi, { ...pnpm, ".github/workflows/db.yml": "- run: npx lockstep status\n" }).paths).toEqual([])
    const own = { ...pnpm, ".github/workflows/migrations.yml": "name: mine\n" }
    expect(run(proposeCi, own)).toMatchObject({
      after: own,
      notes: [".github/workflows/migrations.yml is yours and stays"],
    })
  })
})

describe("GitLab", () => {
  const text = "# ours\nstages: [lint, build]\n\nlint:\n  stage: lint\n  script: [make lint] # fast\n"

  test("includes a file of its own, in a stage that exists", () => {
    const { after, paths, again } = run(proposeCi, { ...pnpm, ".gitlab-ci.yml": text })
    expect(paths).toEqual([".gitlab/migrations.yml", ".gitlab-ci.yml"])
    expect(after[".gitlab-ci.yml"]).toBe(`${text}include:\n  - local: .gitlab/migrations.yml\n`)
    const { migrations } = parse(after[".gitlab/migrations.yml"] ?? "")
    expect(migrations).toMatchObject({ stage: "lint", script: expect.arrayContaining(verifies) })
    expect(again).toEqual([])
  })

  test("with includes of its own stays as it is", () => {
    const { after, notes } = run(proposeCi, { ...pnpm, ".gitlab-ci.yml": "include:\n  - local: a.yml\n" })
    expect(after[".gitlab-ci.yml"]).toBe("include:\n  - local: a.yml\n")
    expect(notes.join()).toContain("- local: .gitlab/migrations.yml")
  })
})

describe("CircleCI", () => {
  test("gets a job and a workflow beside those that are there", () => {
    const text =
      "version: 2.1\njobs:\n  build: # compiles\n    docker: [{ image: a }]\n    steps: [checkout]\n\nworkflows:\n  all:\n    jobs: [build]\n"
    const { after, again } = run(proposeCi, { ...pnpm, ".circleci/config.yml": text })
    const config = parse(after[".circleci/config.yml"] ?? "")
    expect(Object.keys(config.jobs)).toEqual(["build", "migrations"])
    expect(config.workflows).toEqual({ all: { jobs: ["build"] }, migrations: { jobs: ["migrations"] } })
    for (const line of text.split("\n")) expect(after[".circleci/config.yml"]).toContain(line)
    for (const line of verifies) expect(config.jobs.migrations.steps[1].run).toContain(line)
    expect(again).toEqual([])
  })
})

describe("Jenkins", () => {
  test("gets a Jenkinsfile where there is none", () => {
    const { after } = run(proposeCi, pnpm, { ci: "jenkins" })
    for (const line of verifies) expect(after.Jenkinsfile).toContain(line)
  })

  test("keeps the one that it has, and is told the stage", () => {
    const { paths, notes } = run(proposeCi, { ...pnpm, Jenkinsfile: "pipeline {}\n" })
    expect(paths).toEqual([])
    expect(notes.join()).toContain("stage('Migrations')")
  })
})

describe("any other CI", () => {
  test("gets a script that the shell can read", async () => {
    const { after, again } = run(proposeCi, pnpm, { ci: "plain" })
    const script = after["ci/migrations.sh"] ?? ""
    for (const line of verifies) expect(script).toContain(line)
    const folder = mkdtempSync(join(tmpdir(), "lockstep-ci-"))
    writeFileSync(join(folder, "script"), script)
    expect(script).toContain("trap 'pnpm exec lockstep test-db down' EXIT\n")
    expect(await execa("sh", ["-n", join(folder, "script")])).toMatchObject({ exitCode: 0, stderr: "" })
    rmSync(folder, { recursive: true })
    expect(again).toEqual([])
  })

  test("is asked for, where none is found", () => {
    expect(run(proposeCi, pnpm)).toMatchObject({ paths: [], notes: [expect.stringContaining("--ci")] })
  })
})

test.each(["github", "gitlab", "circleci"] as const)("%s: YAML without a warning, for every package manager", (ci) => {
  for (const lockfile of ["pnpm-lock.yaml", "yarn.lock", "bun.lock", "package-lock.json"]) {
    const { after, paths } = run(proposeCi, { [lockfile]: "", "package.json": "{}" }, { ci })
    for (const path of paths) {
      const { errors, warnings } = parseDocument(after[path] ?? "")
      expect([path, errors, warnings]).toEqual([path, [], []])
    }
  }
})
