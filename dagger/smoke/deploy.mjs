// The migration image deploys its own migrations, and reports one that fails.
import { chart, defaultCommand, expectThat, run, runner } from "./commands.mjs"

const first = await run(defaultCommand)
expectThat("deploys", first, first.status === 0)

const again = await run(chart)
expectThat("deploys again", again, again.status === 0)

const status = await run(runner("status"))
expectThat("is up to date", status, status.status === 0)

const broken = await run(defaultCommand, { LOCKSTEP_MIGRATIONS: "/broken" })
const isNamed = /99991231235959_fails\/migration\.sql:3/.test(broken.output)
expectThat("a failing migration is named with its file and line", broken, broken.status === 1 && isNamed)
