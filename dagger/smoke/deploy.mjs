// Tries the migration image with its own history.
import { chart, defaultCommand, expectThat, run, runner } from "./trial.mjs"

const first = await run(defaultCommand)
expectThat("deploys", first, first.status === 0)

const again = await run(chart)
expectThat("deploys again", again, again.status === 0)

const status = await run(runner("status"))
expectThat("is up to date", status, status.status === 0)

const broken = await run(defaultCommand, { LOCKSTEP_MIGRATIONS: "/broken" })
const says = /99991231235959_fails\/migration\.sql:3/.test(broken.output)
expectThat("a failing migration is named with its file and line", broken, broken.status === 1 && says)
