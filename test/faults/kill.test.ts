import { setTimeout as pause } from "node:timers/promises"
import { expect, test } from "vitest"
import { type CliProcess, lockstep as lockstepProcess } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"
import { doublings, indexBuilds, stateOf } from "./histories.js"
import { eachOnEmptyDatabase } from "./parallel.js"
import { randomFor, roundsOr, spread } from "./random.js"

/** Until it has read its project: from here on it is the deploy that is killed, not Node. */
const begun = (child: CliProcess) => new Promise((resolve) => child.stderr.once("data", resolve))

async function cleanDeploy(migrations: Readonly<Record<string, string>>) {
  const project = createProject({ migrations })
  const database = await createDatabase()
  const child = lockstepProcess(["deploy"], { cwd: project.root, url: database.url })
  await begun(child)
  const started = performance.now()
  expect(await child).toMatchObject({ exitCode: 0 })
  return { cwd: project.root, state: await stateOf(database), lastsMs: performance.now() - started }
}

test("killed at any instant, the next deploy ends as a clean one, with no other command", async () => {
  const random = randomFor("kill")
  const clean = await cleanDeploy(doublings)
  const instants = spread(random, roundsOr(16)).map((part) => part * clean.lastsMs)
  let killed = 0
  await eachOnEmptyDatabase(instants, async (instant, database) => {
    const child = lockstepProcess(["deploy"], { cwd: clean.cwd, url: database.url })
    await begun(child)
    await pause(instant)
    child.kill("SIGKILL")
    if ((await child).signal === "SIGKILL") killed++
    const next = await lockstep(["deploy"], { cwd: clean.cwd, url: database.url })
    expect(next, next.all).toMatchObject({ exitCode: 0 })
    expect(await stateOf(database), `killed after ${instant} ms`).toEqual(clean.state)
  })
  expect(killed).toBeGreaterThan(instants.length / 5)
}, 300_000)

test("killed in concurrent index builds, --resume ends as a clean deploy", async () => {
  const random = randomFor("kill in index builds")
  const clean = await cleanDeploy(indexBuilds)
  const instants = spread(random, roundsOr(8)).map((part) => part * clean.lastsMs)
  await eachOnEmptyDatabase(instants, async (instant, database) => {
    const child = lockstepProcess(["deploy"], { cwd: clean.cwd, url: database.url })
    await begun(child)
    await pause(instant)
    child.kill("SIGKILL")
    await child
    const next = await lockstep(["deploy"], { cwd: clean.cwd, url: database.url })
    if (next.exitCode !== 0) {
      expect(next.stderr).toContain("error[L1104]")
      expect(next.stderr).toContain("was killed or lost its connection")
      const resumed = await lockstep(["deploy", "--resume"], { cwd: clean.cwd, url: database.url })
      expect(resumed, resumed.all).toMatchObject({ exitCode: 0 })
    }
    expect(await stateOf(database), `killed after ${instant} ms`).toEqual(clean.state)
  })
}, 300_000)
