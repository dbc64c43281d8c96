import type { Prepared } from "./prepare.js"

/**
 * A message saves the round trips between its migrations. The first is short, because the server waits until it is
 * parsed; each is twice as long as the one before, until longer ones would only say nothing for a while.
 */
const firstSize = 8
const largestSize = 64
const batchBytes = 64 * 1024

/** Groups consecutive small transactional migrations; every other one, and one that is gone on with, stands alone. */
export async function* batches(prepared: AsyncIterable<Prepared>): AsyncGenerator<readonly Prepared[], undefined> {
  let batch: Prepared[] = []
  let bytes = 0
  let limit = firstSize
  for await (const one of prepared) {
    const size = one.sql.length
    const joins = one.class === "transactional" && !one.unparsed && one.course === "new"
    if (batch.length > 0 && (!joins || batch.length === limit || bytes + size > batchBytes)) {
      yield batch
      batch = []
      bytes = 0
      limit = Math.min(2 * limit, largestSize)
    }
    if (!joins) yield [one]
    else {
      batch.push(one)
      bytes += size
    }
  }
  if (batch.length > 0) yield batch
}
