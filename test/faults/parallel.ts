import { createDatabase, type TestDatabase } from "../support/postgres.js"

const width = 4

/** Does work for each item on an empty database, some at a time; a database is emptied and used again. */
export async function eachOnEmptyDatabase<T>(
  items: readonly T[],
  work: (item: T, database: TestDatabase) => Promise<void>,
): Promise<void> {
  const waiting = [...items]
  const databases = await Promise.all(Array.from({ length: width }, createDatabase))
  const worker = async (database: TestDatabase) => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      await work(item, database)
      await database.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    }
  }
  await Promise.all(databases.map(worker))
}
