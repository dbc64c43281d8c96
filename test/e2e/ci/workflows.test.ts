import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { execa } from "execa"
import { describe, expect, test } from "vitest"
import { parse } from "yaml"
import * as z from "zod/mini"
import { repository } from "../../support/cli.js"
import { createProject } from "../../support/project.js"
import { daggerLines } from "./ci-lines.js"

const read = (path: string): string => readFileSync(join(repository, path), "utf8")

const text = z.record(z.string(), z.unknown())
const step = z.strictObject({
  name: z.optional(z.string()),
  uses: z.optional(z.string()),
  with: z.optional(text),
  run: z.optional(z.string()),
  env: z.optional(text),
})
const permissions = z.record(z.string(), z.enum(["read", "write"]))
const job = z.strictObject({
  uses: z.optional(z.string()),
  needs: z._default(
    z.pipe(
      z.union([z.string(), z.array(z.string())]),
      z.transform((names) => [names].flat()),
    ),
    [],
  ),
  "runs-on": z.optional(z.literal("ubuntu-latest")),
  environment: z.optional(z.string()),
  permissions: z.optional(permissions),
  strategy: z.optional(text),
  steps: z._default(z.array(step), []),
})
/** What is used of GitHub's workflow syntax; a misspelt key is an error. */
const workflow = z.strictObject({
  name: z.string(),
  on: text,
  permissions,
  concurrency: text,
  jobs: z.record(z.string(), job),
})

const load = (name: string) => z.parse(workflow, parse(read(`.github/workflows/${name}`)))
const runsOf = (name: string) =>
  Object.values(load(name).jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []))

describe.each(readdirSync(join(repository, ".github/workflows")))("%s", (name) => {
  const { jobs, permissions: granted } = load(name)

  test("has jobs that run something, after jobs that exist, with no more rights than read by default", () => {
    for (const { needs, uses, steps, ...rest } of Object.values(jobs)) {
      for (const other of needs) expect(Object.keys(jobs)).toContain(other)
      expect(uses === undefined).toBe(rest["runs-on"] !== undefined && steps.length > 0)
    }
    expect(granted).toEqual({ contents: "read" })
  })

  test("has steps that either run a script or use an action at a version, its own workflows at their path", () => {
    for (const { steps } of Object.values(jobs))
      for (const { uses, run } of steps) {
        expect([uses, run].filter(Boolean)).toHaveLength(1)
        if (uses) expect(uses).toMatch(/^actions\/[\w-]+@v\d+$/)
      }
    for (const { uses } of Object.values(jobs)) if (uses) expect(read(uses)).toContain("workflow_call:")
  })

  test("has scripts that bash can read, and that use no text of an event without quotes", async () => {
    for (const script of runsOf(name)) {
      expect((await execa("bash", ["-n", "-c", script], { reject: false })).stderr).toBe("")
      expect(script).not.toContain("${{")
    }
  })
})

describe("ci.yml", () => {
  const { jobs } = load("ci.yml")

  test("runs .ci/run on every Node that is supported", () => {
    expect(jobs.test?.strategy).toMatchObject({ matrix: { node: [20, 22, 24] } })
    expect(jobs.test?.steps.at(-1)).toEqual({ run: "bash .ci/run" })
  })

  test("runs the module's tests on an engine, and fails without one", () => {
    expect(jobs.dagger?.steps.at(-1)).toEqual({ run: "make test-dagger", env: { DAGGER_REQUIRED: "1" } })
  })

  test("runs the lines of docs/ci/github-actions.yml for Dagger", () => {
    const shown = daggerLines("x.yml", read("docs/ci/github-actions.yml")).map((line) => line.replace(" lockstep", ""))
    const path = ".github/workflows/ci.yml"
    for (const line of daggerLines(path, read(path))) expect(shown).toContain(line)
  })
})

describe("release.yml", () => {
  const { on, jobs } = load("release.yml")

  test("releases a tag, after every test of ci.yml", () => {
    expect(on).toEqual({ push: { tags: ["v*"] } })
    expect(jobs.test?.uses).toBe("./.github/workflows/ci.yml")
    for (const name of ["npm", "module"]) expect(jobs[name]?.needs).toContain("test")
    expect(jobs.notes?.needs).toEqual(["npm", "module"])
  })

  test("publishes the packed tarball with its provenance", () => {
    expect(jobs.package?.steps.map(({ run }) => run)).toContain("npm pack")
    expect(jobs.npm?.permissions).toEqual({ contents: "read", "id-token": "write" })
    expect(jobs.npm?.steps.at(-1)?.run).toMatch(/^npm publish --provenance .*\.\/prisma-lockstep-\*\.tgz$/)
  })

  test("loads the module at the tag, which is the module's version because dagger.json is at the root", () => {
    expect(JSON.parse(read("dagger.json")).source).toBe("dagger")
    expect(jobs.module?.steps.at(-1)?.run).toContain('-m "github.com/$GITHUB_REPOSITORY@$GITHUB_REF_NAME"')
  })
})

describe("a release's notes", () => {
  const changelog = `# Changelog\n\n## 1.10.0 (unreleased)\n\n- Next.\n\n## 1.1.0 (2026-11-25)\n\n- New: plans.\n\n- Fixed.\n\n## 1.0.0\n`
  const notes = (version: string) => {
    const { root } = createProject({ files: { "CHANGELOG.md": changelog } })
    return execa("node", [join(repository, ".github/changelog-section.mjs"), version], { cwd: root, reject: false })
  }

  test("are the changelog's section of its version", async () => {
    expect(await notes("1.1.0")).toMatchObject({ exitCode: 0, stdout: "- New: plans.\n\n- Fixed." })
  })

  test.each([
    ["1.1", 'CHANGELOG.md has no section "## 1.1"'],
    ["1.10.0", "CHANGELOG.md says that 1.10.0 is unreleased: write its date"],
    ["1.0.0", "CHANGELOG.md says nothing about 1.0.0"],
  ])("stop the release where there are none: %s", async (version, stderr) => {
    expect(await notes(version)).toMatchObject({ exitCode: 1, stdout: "", stderr })
  })

  test("can be written for the version of package.json: the changelog has its section", () => {
    const { version } = JSON.parse(read("package.json"))
    expect(read("CHANGELOG.md")).toContain(`\n## ${version}`)
  })
})
