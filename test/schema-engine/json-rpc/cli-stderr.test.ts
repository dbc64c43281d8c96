import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, openSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { describe, expect, onTestFinished, test } from "vitest"
import { openCliStderr } from "../../../src/schema-engine/json-rpc/cli-stderr.js"

/** A process in the place of Prisma's CLI, with this as its stderr. */
async function standIn(stderr: number | "pipe"): Promise<{ readonly child: ChildProcess; readonly pid: number }> {
  const child = spawn("sleep", ["60"], { stdio: ["ignore", "ignore", stderr] })
  onTestFinished(() => void child.kill())
  await new Promise((resolve) => child.once("spawn", resolve))
  return { child, pid: child.pid ?? 0 }
}

const newFile = (): string => join(mkdtempSync(join(tmpdir(), "lockstep-stderr-")), "log")

describe.skipIf(process.platform !== "linux")("the stderr of the process that is Prisma's CLI", () => {
  test("is written to where it is a file that is appended to", async () => {
    const file = newFile()
    const { pid } = await standIn(openSync(file, "a"))
    const stderr = openCliStderr("linux", pid)
    expect(stderr.reader).toBe("person")
    stderr.say("one")
    stderr.say("two\n")
    expect(readFileSync(file, "utf8")).toBe("one\ntwo\n")
  })

  test("is left alone where the CLI itself would write over our text", async () => {
    const file = newFile()
    const { pid } = await standIn(openSync(file, "w"))
    openCliStderr("linux", pid).say("one")
    expect(readFileSync(file, "utf8")).toBe("")
  })

  test("is left alone where it is a socket, as it is for a parent on Node", async () => {
    const { child, pid } = await standIn("pipe")
    const stderr = openCliStderr("linux", pid)
    expect(stderr.reader).toBe("program")
    stderr.say("one")
    child.kill()
    expect(child.stderr === null ? "" : await text(child.stderr)).toBe("")
  })

  test("of a process that does not exist is dropped", () => {
    const stderr = openCliStderr("linux", 2 ** 30)
    expect(stderr.reader).toBe("person")
    expect(() => stderr.say("one")).not.toThrow()
  })
})
