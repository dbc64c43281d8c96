import { describeCatalog } from "../../src/postgres/catalog.js"
import { connect } from "../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import type { TestDatabase } from "../support/postgres.js"

const name = (number: number, words: string): string => `${20260101000000 + number}_${words}`

/**
 * Twenty-four transactional migrations that show in the rows what was applied twice, skipped or in another order: each
 * doubles a balance and adds its number. One is too large to share a message, one takes a moment.
 */
export const doublings: Readonly<Record<string, string>> = Object.fromEntries([
  [
    name(0, "init"),
    "CREATE TABLE account (id int PRIMARY KEY, balance numeric NOT NULL);\nINSERT INTO account VALUES (1, 0);",
  ],
  ...Array.from({ length: 23 }, (_, index): [string, string] => {
    const number = index + 1
    const change = `UPDATE account SET balance = balance * 2 + ${number};\nALTER TABLE account ADD COLUMN c${number} int DEFAULT ${number};`
    if (number === 9) return [name(number, "large"), `-- ${"x".repeat(70_000)}\n${change}`]
    if (number === 14) return [name(number, "slow"), `${change}\nSELECT pg_sleep(0.05);`]
    return [name(number, "double"), change]
  }),
])

/** Migrations that are applied statement by statement: concurrent index builds between ordinary statements. */
export const indexBuilds: Readonly<Record<string, string>> = {
  [name(0, "init")]: `CREATE TABLE account (id int PRIMARY KEY, balance numeric NOT NULL);
INSERT INTO account SELECT n, n FROM generate_series(1, 20000) n;`,
  [name(1, "indexes")]: `UPDATE account SET balance = balance * 2 + 1 WHERE id = 1;
CREATE INDEX CONCURRENTLY account_balance ON account (balance);
UPDATE account SET balance = balance * 2 + 2 WHERE id = 1;
CREATE UNIQUE INDEX CONCURRENTLY account_both ON account (balance, id);
UPDATE account SET balance = balance * 2 + 3 WHERE id = 1;
DROP INDEX CONCURRENTLY account_balance;
REINDEX TABLE CONCURRENTLY account;`,
  [name(2, "after")]: "UPDATE account SET balance = balance * 2 + 4 WHERE id = 1;",
}

/** Everything that a deploy leaves, but for ids and times: catalog, rows, history. */
export async function stateOf({ url }: TestDatabase): Promise<object> {
  const client = await connect(parseDatabaseUrl(url))
  const rowsOf = async (sql: string) => (await client.query(sql)).rows
  try {
    return {
      catalog: await describeCatalog(client, "public"),
      rows: await rowsOf("SELECT * FROM account ORDER BY id LIMIT 3"),
      invalid: await rowsOf("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"),
      history: await rowsOf(`SELECT migration_name, checksum, finished_at IS NOT NULL AS finished, rolled_back_at,
        applied_steps_count, logs FROM _prisma_migrations ORDER BY migration_name, started_at`),
    }
  } finally {
    await client.end()
  }
}
