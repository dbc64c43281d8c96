import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { execa } from "execa"
import { describe, expect, test } from "vitest"
import { flagsOf, variableOf } from "../../src/cli/options.js"
import { commands } from "../../src/commands/index.js"
import { version } from "../../src/version.js"
import { cliPath, environment, lockstep as lockstepProcess } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createProject } from "../support/project.js"
import { objectsIn } from "./json.js"

const run = (...args: readonly string[]) => lockstep(args, { cwd: createProject().root })
const runProcess = (...args: readonly string[]) => lockstepProcess(args, { cwd: createProject().root })

test("every part of the bundle loads, whichever of its commands needs it", async () => {
  const parts = join(dirname(cliPath), "chunks")
  const load = `import { readdirSync } from "node:fs"
    for (const part of readdirSync(process.argv[1])) await import(process.argv[1] + "/" + part)
    process.exit()`
  const command = [process.execPath, "--input-type=module", "--eval", load, parts] as const
  const loaded = await execa(command[0], command.slice(1), { env: environment(), extendEnv: false, reject: false })
  expect(loaded).toMatchObject({ exitCode: 0, stderr: "", stdout: "" })
})

describe("help", () => {
  test("without a command lists every one with a line each", async () => {
    const { stdout, exitCode } = await runProcess()
    for (const [verb, { summary }] of Object.entries(commands))
      expect(stdout).toContain(`${verb.padEnd(15)} ${summary}`)
    expect(exitCode).toBe(0)
    expect((await runProcess("--help")).stdout).toBe(stdout)
    expect((await runProcess("help")).stdout).toBe(stdout)
  })

  test.each(Object.keys(commands))(
    "of %s: what it does, every option with its variable, the exit codes",
    async (verb) => {
      const { stdout, exitCode } = await run(verb, "--help")
      const { default: command } = await commands[verb]!.load()
      const text = stdout.replaceAll(/\s+/g, " ")
      expect(exitCode).toBe(0)
      expect(text).toContain(`Usage: lockstep ${verb} [options]`)
      expect(text).toContain("--json")
      for (const [key, option] of Object.entries(command.options)) {
        expect(text).toContain(flagsOf(key, option))
        expect(text.includes(variableOf(key))).toBe(option.source !== "command line")
      }
      for (const paragraph of command.description) expect(text).toContain(paragraph)
      for (const meaning of Object.values(command.exitCodes)) expect(text).toContain(meaning)
      for (const example of command.examples) expect(text).toContain(example.replaceAll(/\s+/g, " "))
    },
  )

  test("of a command by its name, and the version", async () => {
    expect((await runProcess("help", "deploy")).stdout).toBe((await runProcess("deploy", "-h")).stdout)
    expect((await runProcess("--version")).stdout).toBe(version)
  })
})

describe("wrong usage is exit 2, and says what to type", () => {
  test.each([
    [["deplyo"], "unknown command 'deplyo'", "lockstep --help"],
    [["constructor"], "unknown command 'constructor'", "lockstep --help"],
    [["--nope"], "unknown option '--nope'", "lockstep --help"],
    [["deploy", "--nope"], "unknown option '--nope'", "lockstep deploy --help"],
    [["status", "now"], "too many arguments for 'status'", "lockstep status --help"],
    [["diff", "history"], "missing required argument 'to'", "lockstep diff --help"],
    [["deploy", "--retries"], "option '--retries <n>' argument missing", "lockstep deploy --help"],
    [["test-db", "restart"], "Allowed choices are up, url, down", "lockstep test-db --help"],
    [
      ["kubernetes", "pod"],
      "Allowed choices are init-container, job, fleet-job, backfill-job, values",
      "lockstep kubernetes --help",
    ],
  ])("%j", async (args, message, next) => {
    const { stdout, stderr, exitCode } = await run(...args)
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 2 })
    expect(stderr).toMatch(/^error\[L1301\]: /)
    expect(stderr).toContain(message)
    expect(stderr).toContain(`next:   ${next}`)
  })

  test("also as JSON", async () => {
    const { stdout } = await runProcess("deploy", "--json", "--nope")
    expect(objectsIn(stdout)).toMatchObject([{ code: "L1301", message: "unknown option '--nope'" }])
  })

  test("several wrong settings are named at once", async () => {
    const { root } = createProject({ files: { "package.json": '{ "lockstep": { "lockTimeout": "long" } }' } })
    const { stderr, exitCode } = await lockstepProcess(["deploy", "--retries=-1"], {
      cwd: root,
      env: { LOCKSTEP_CONNECT_TIMEOUT: "x" },
    })
    expect(stderr).toContain("LOCKSTEP_CONNECT_TIMEOUT is not a time")
    expect(stderr).toContain("lockstep.lockTimeout in package.json is not a time")
    expect(stderr).toContain("--retries is not a whole number")
    expect(exitCode).toBe(2)
  })

  test("a package.json that is no JSON is named", async () => {
    const { root } = createProject({ files: { "package.json": "{,}" } })
    const { stderr, exitCode } = await lockstep(["status"], { cwd: root })
    expect({ stderr, exitCode }).toMatchObject({
      stderr: expect.stringContaining("error[L1302]: package.json"),
      exitCode: 2,
    })
  })
})

test("a reader that goes away is no failure", async () => {
  const { exitCode, stderr } = await execa("sh", ["-c", `"${process.execPath}" "${cliPath}" --help | head -1`], {
    env: environment(),
    extendEnv: false,
  })
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" })
})

test.skipIf(!existsSync("/dev/full"))("output that cannot be written is one line on stderr, and exit 1", async () => {
  const { root: cwd } = createProject()
  const shell = (words: string) =>
    execa("sh", ["-c", `"${process.execPath}" "${cliPath}" ${words}`], {
      ...{ cwd, env: environment(), extendEnv: false, reject: false },
    })
  expect(await shell("--help >/dev/full")).toMatchObject({
    exitCode: 1,
    stderr: "error[L1307]: the output cannot be written: ENOSPC: no space left on device, write",
  })
  const wrong = await shell("test-db --json >/dev/full")
  expect(wrong.exitCode).toBe(2)
  expect(wrong.stderr).toContain("error[L1307]")
  expect(await shell("test-db down 2>/dev/full")).toMatchObject({ exitCode: 1, stdout: "" })
})

test("colours are for terminals alone", async () => {
  const { stderr } = await runProcess("deploy", "--nope")
  expect(stderr).not.toContain("\u001B")
})
