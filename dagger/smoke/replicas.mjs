// Starts five replicas of the migration image at once.
import { chart, expectThat, run } from "./commands.mjs"

const replicas = await Promise.all(Array.from({ length: 5 }, () => run(chart)))
for (const [at, one] of replicas.entries()) expectThat(`replica ${at + 1} of 5 at once`, one, one.status === 0)
