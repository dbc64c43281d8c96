import { expect, test } from "vitest"
import { lockstep } from "../support/in-process.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { createProject, type TestProject } from "../support/project.js"
import { doublings, indexBuilds, stateOf } from "./histories.js"
import { eachOnEmptyDatabase } from "./parallel.js"
import { type Cut, cutAfter, cutBeforeCommit, proxyBefore } from "./proxy.js"
import { randomFor, roundsOr, spread } from "./random.js"

interface Clean {
  readonly project: TestProject
  readonly state: object
  /** Bytes of the whole conversation, both ways. */
  readonly bytes: number
}

async function cleanDeploy(migrations: Readonly<Record<string, string>>): Promise<Clean> {
  const project = createProject({ migrations })
  const database = await createDatabase()
  const proxy = await proxyBefore(database.url, () => undefined)
  const done = await lockstep(["deploy"], { cwd: project.root, url: proxy.url })
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  return { project, state: await stateOf(database), bytes: proxy.passed() }
}

async function deployThrough(
  { project, state }: Clean,
  database: TestDatabase,
  cut: Cut,
  what: string,
): Promise<string> {
  const proxy = await proxyBefore(database.url, cut)
  const done = await lockstep(["deploy"], { cwd: project.root, url: proxy.url })
  expect(done, `${what}\n${done.all}`).toMatchObject({ exitCode: 0 })
  expect(await stateOf(database), what).toEqual(state)
  return done.stderr
}

test("cut at any byte of the conversation, each migration is applied exactly once", async () => {
  const random = randomFor("cut")
  const clean = await cleanDeploy(doublings)
  const places = spread(random, roundsOr(24)).map((part) => 1 + Math.floor(part * clean.bytes))
  await eachOnEmptyDatabase(places, async (bytes, database) => {
    await deployThrough(clean, database, cutAfter(bytes), `cut after ${bytes} bytes of ${clean.bytes}`)
  })
}, 300_000)

test("cut before the answer to a COMMIT, the migration is found in the history and told as applied", async () => {
  const clean = await cleanDeploy(doublings)
  await eachOnEmptyDatabase([1, 2, 11, 12, 24], async (number, database) => {
    const told = await deployThrough(
      clean,
      database,
      cutBeforeCommit(number),
      `cut before the answer to COMMIT ${number}`,
    )
    expect(told).toContain("the connection was lost")
    for (const name of Object.keys(doublings)) expect(told.split(`ok  ${name} `)).toHaveLength(2)
  })
})

test("cut during concurrent index builds, they go on from the statement that the catalog shows", async () => {
  const random = randomFor("cut in index builds")
  const clean = await cleanDeploy(indexBuilds)
  const places = spread(random, roundsOr(8)).map((part) => 1 + Math.floor(part * clean.bytes))
  await eachOnEmptyDatabase(places, async (bytes, database) => {
    await deployThrough(clean, database, cutAfter(bytes), `cut after ${bytes} bytes of ${clean.bytes}`)
  })
}, 300_000)
