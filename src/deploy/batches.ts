import type { Prepared } from "./prepare.js"

/** A message of 25 small migrations saves 24 round trips; longer ones gain little, and say nothing for a while. */
const batchSize = 25
const batchBytes = 64 * 1024

/** Groups consecutive small transactional migrations; every other one, and one that is gone on with, stands alone. */
export async function* batches(prepared: AsyncIterable<Prepared>): AsyncGenerator<readonly Prepared[], undefined> {
  let batch: Prepared[] = []
  let bytes = 0
  for await (const one of prepared) {
    const size = one.sql.length
    const joins = one.class === "transactional" && !one.unparsed && one.course === "new"
    if (batch.length > 0 && (!joins || batch.length === batchSize || bytes + size > batchBytes)) {
      yield batch
      batch = []
      bytes = 0
    }
    if (!joins) yield [one]
    else {
      batch.push(one)
      bytes += size
    }
  }
  if (batch.length > 0) yield batch
}
