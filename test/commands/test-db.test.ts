import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createColors } from "picocolors"
import { expect, onTestFinished, test } from "vitest"
import testDb from "../../src/commands/test-db.js"
import { down } from "../../src/test-db/server.js"

/** Runs `lockstep test-db <verb>` in an empty project and returns what a person or a program gets. */
async function inProject(): Promise<(verb: string, json?: "--json") => Promise<Shown>> {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-test-"))
  const before = process.cwd()
  process.chdir(folder)
  onTestFinished(async () => {
    process.chdir(before)
    await down(folder)
    await rm(folder, { recursive: true })
  })
  return async (verb, json) => {
    const shown: Shown = { said: [], data: [], objects: [] }
    await testDb.run({
      settings: {
        postgres: undefined,
        deploy: false,
        seed: false,
        config: undefined,
        schema: undefined,
        migrations: undefined,
      },
      operands: [verb],
      signal: new AbortController().signal,
      root: () => process.cwd(),
      project: () => Promise.reject(new Error("test-db needs nothing of the project but its folder")),
      output: {
        json: json !== undefined,
        terminal: false,
        paint: createColors(false),
        width: 80,
        columns: undefined,
        say: (text) => void shown.said.push(text),
        live: () => undefined,
        data: (text) => void (json ?? shown.data.push(text)),
        object: (value) => void (json && shown.objects.push(value)),
      },
    })
    return shown
  }
}

interface Shown {
  readonly said: string[]
  readonly data: string[]
  readonly objects: object[]
}

test("up prints the URL on stdout and the rest on stderr; url prints the same; down says what it did", async () => {
  const lockstep = await inProject()
  await expect(lockstep("url")).rejects.toMatchObject({ code: "L1510", exitCode: 1 })
  const first = await lockstep("up")
  expect(first.data).toEqual([expect.stringMatching(/^postgresql:\/\/postgres:[\w-]{32}@127\.0\.0\.1:\d+\/lockstep$/)])
  expect(first.said).toEqual([
    expect.stringMatching(
      /^PostgreSQL 18\.\d+, embedded\n {2}postgresql:\/\/postgres@127\.0\.0\.1:\d+\/lockstep {3}started in \d+\.\d s, data in /,
    ),
  ])
  const second = await lockstep("up")
  expect(second.data).toEqual(first.data)
  expect(second.said).toEqual([expect.stringContaining("running already")])
  expect(await lockstep("url")).toEqual({ said: [], data: first.data, objects: [] })
  expect((await lockstep("url", "--json")).objects).toEqual([
    expect.objectContaining({ schema: "lockstep.test-db/1", state: "running", url: first.data[0] }),
  ])
  expect((await lockstep("down")).said).toEqual([expect.stringContaining("stopped")])
  expect((await lockstep("down", "--json")).objects).toEqual([{ schema: "lockstep.test-db/1", state: "not running" }])
})
