import { expect, test } from "vitest"
import { type BackfillFile, parseBackfill } from "../../src/backfill/file.js"
import { inRange, offsetInText } from "../../src/backfill/statement.js"

const fileOf = (text: string): BackfillFile => ({ name: "one", file: "one.sql", text, checksum: "" })
const parse = async (text: string) => (await parseBackfill(fileOf(text))).statement
const problemOf = async (text: string) => {
  const error: unknown = await parseBackfill(fileOf(text)).catch((reason: unknown) => reason)
  return error
}

const bounded: readonly (readonly [string, string, string])[] = [
  ["an UPDATE", "UPDATE item SET n = 1", "UPDATE item SET n = 1 WHERE RANGE"],
  [
    "its condition, whatever it is",
    "UPDATE item SET n = 1 WHERE a OR b -- both\n",
    "UPDATE item SET n = 1 WHERE RANGE AND (a OR b)",
  ],
  [
    "not the condition of a sub-select",
    "UPDATE item SET n = (SELECT 1 WHERE true), é = 'é'",
    "UPDATE item SET n = (SELECT 1 WHERE true), é = 'é' WHERE RANGE",
  ],
  [
    "WITH",
    "WITH a AS (SELECT 1 AS x WHERE true) UPDATE item SET n = x FROM a where n < 'WHERE'",
    "WITH a AS (SELECT 1 AS x WHERE true) UPDATE item SET n = x FROM a where RANGE AND (n < 'WHERE')",
  ],
  [
    "a DELETE with USING",
    "DELETE FROM item USING other WHERE other.id = item.id",
    "DELETE FROM item USING other WHERE RANGE AND (other.id = item.id)",
  ],
  [
    "INSERT … SELECT, before ON CONFLICT and its own WHERE",
    "INSERT INTO copy (id) SELECT id FROM item ON CONFLICT (id) WHERE true DO UPDATE SET n = 1 WHERE copy.n = 2",
    "INSERT INTO copy (id) SELECT id FROM item WHERE RANGE ON CONFLICT (id) WHERE true DO UPDATE SET n = 1 WHERE copy.n = 2",
  ],
  [
    "ORDER BY, and a join's ON",
    "INSERT INTO copy SELECT item.id FROM item JOIN other ON true WHERE item.n > 1 /* so */ ORDER BY 1",
    "INSERT INTO copy SELECT item.id FROM item JOIN other ON true WHERE RANGE AND (item.n > 1) /* so */ ORDER BY 1",
  ],
  [
    "WITH of the SELECT",
    "INSERT INTO copy WITH a AS (SELECT 1) SELECT id FROM item FOR SHARE",
    "INSERT INTO copy WITH a AS (SELECT 1) SELECT id FROM item WHERE RANGE FOR SHARE",
  ],
]

test.for(bounded)("the range's condition stands where it belongs: %s", async ([what, sql, expected]) => {
  const directive = what.includes("join") ? "-- lockstep-table: item\n" : ""
  const statement = await parse(directive + sql)
  expect(inRange(statement, "RANGE")).toBe(expected)
  // Every word of the file that is still in it is found again.
  const written = statement.parts.head + (statement.parts.condition ?? "") + statement.parts.tail
  for (const { index, 0: word } of expected.matchAll(/[a-zé_]+|[A-Z]{3,}|\d/g)) {
    if (
      word === "RANGE" ||
      (word === "AND" && !written.includes("AND")) ||
      (word === "WHERE" && statement.parts.condition === undefined)
    )
      continue
    const offset = offsetInText(statement, "RANGE", index)
    expect(written.slice(offset, offset + word.length)).toBe(word)
  }
})

test("the driving table, what it is called and what is set", async () => {
  expect(await parse('UPDATE ONLY shop."Order" o SET (a, b) = (1, 2), c[1] = 3')).toMatchObject({
    ...{
      kind: "UPDATE",
      table: { schema: "shop", name: "Order" },
      reference: '"o"',
      only: "ONLY ",
      sets: ["a", "b", "c"],
    },
  })
  expect(
    await parse(
      "-- lockstep-table: o\nINSERT INTO x SELECT upper(o.a), (SELECT max(z) FROM y) FROM other JOIN item AS o ON true",
    ),
  ).toMatchObject({
    ...{ table: { name: "item" }, target: { name: "x" }, reference: '"o"', calls: ["upper"] },
  })
})

const refused: readonly (readonly [string, string])[] = [
  ["", "the file holds no statement"],
  ["-- nothing", "the file holds no statement"],
  ["UPDATE item SET n = 1; UPDATE item SET n = 2", "the file holds more than one statement"],
  ["UPDATE item SET", "syntax error at end of input"],
  ["SELECT 1", "it is no UPDATE, DELETE or INSERT … SELECT"],
  ["TRUNCATE item", "it is no UPDATE, DELETE or INSERT … SELECT"],
  ["MERGE INTO item USING o ON true WHEN MATCHED THEN DELETE", "it is no UPDATE, DELETE or INSERT … SELECT"],
  ["UPDATE item SET n = 1 RETURNING n", "nobody reads what its RETURNING returns: remove it"],
  ["DELETE FROM item WHERE CURRENT OF c", "WHERE CURRENT OF needs a cursor, and a backfill has none"],
  [
    "WITH a AS (DELETE FROM o RETURNING 1) UPDATE item SET n = 1",
    "its WITH writes rows, which would happen once for every range",
  ],
  [
    "INSERT INTO item VALUES (1)",
    "it is an INSERT of its own values, and not of a table's rows (INSERT … SELECT … FROM)",
  ],
  [
    "INSERT INTO item DEFAULT VALUES",
    "it is an INSERT of its own values, and not of a table's rows (INSERT … SELECT … FROM)",
  ],
  [
    "INSERT INTO item SELECT 1",
    "it is an INSERT of its own values, and not of a table's rows (INSERT … SELECT … FROM)",
  ],
  [
    "INSERT INTO a SELECT n FROM item UNION SELECT n FROM o",
    "its UNION, INTERSECT or EXCEPT puts rows of several ranges together: the result would be another one",
  ],
  [
    "INSERT INTO a SELECT n FROM item GROUP BY n",
    "its GROUP BY puts rows of several ranges together: the result would be another one",
  ],
  [
    "INSERT INTO a SELECT DISTINCT n FROM item",
    "its DISTINCT puts rows of several ranges together: the result would be another one",
  ],
  [
    "INSERT INTO a SELECT n FROM item LIMIT 5",
    "its LIMIT or OFFSET puts rows of several ranges together: the result would be another one",
  ],
  [
    "INSERT INTO a SELECT rank() OVER (ORDER BY n) FROM item",
    "its window function puts rows of several ranges together: the result would be another one",
  ],
  ["INSERT INTO a SELECT 1 FROM generate_series(1, 2)", "its FROM names no table"],
  [
    "INSERT INTO a SELECT 1 FROM item, other",
    "its FROM names several tables: say with -- lockstep-table: NAME whose rows are to be walked",
  ],
  [
    "-- lockstep-table: other\nINSERT INTO a SELECT 1 FROM item LEFT JOIN other ON true",
    'an outer join also returns rows without one of "other", which no range has',
  ],
  [
    "-- lockstep-table: third\nINSERT INTO a SELECT 1 FROM item, other",
    "its FROM does not name the table third of lockstep-table",
  ],
  [
    "-- lockstep-table: other\nUPDATE item SET n = 1",
    'lockstep-table names other, and the statement\'s rows are those of "item"',
  ],
  [
    "WITH item AS (SELECT 1 AS n) INSERT INTO a SELECT n FROM item",
    'its rows are those of "item" in its WITH, and must be those of a table',
  ],
  ["-- lockstep-batch: many\nDELETE FROM item", "lockstep-batch is not a number of rows, 1 or more"],
  ["-- lockstep-batch: 5\n-- lockstep-batch: 6\nDELETE FROM item", "lockstep-batch is given twice"],
  ["-- lockstep-after:\nDELETE FROM item", "lockstep-after is not the name of a migration"],
  ["-- lockstep-aftr: x\nDELETE FROM item", "lockstep-aftr is no directive of a backfill (after, batch, table)"],
  ["DELETE FROM item\n-- lockstep-after: x", "lockstep-after stands after the statement begins"],
]

test.for(refused)("%s is refused", async ([sql, problem]) => {
  expect(await problemOf(sql)).toMatchObject({
    code: "L2101",
    message: `the backfill one cannot be used: ${problem}`,
    details: { file: "one.sql", line: expect.any(Number), column: expect.any(Number), state: "nothing was touched." },
  })
})

test("what is wrong is shown at its place", async () => {
  expect(await problemOf("\n-- lockstep-batch: 0\nDELETE FROM item")).toMatchObject({ details: { line: 2, column: 1 } })
  expect(await problemOf("DELETE FROM item;\n DELETE FROM item")).toMatchObject({ details: { line: 2, column: 2 } })
})

test("the directives", async () => {
  const text = "-- why\n-- lockstep-after: 20260101000000_init\r\n  --lockstep-batch: 500\n/* more */ DELETE FROM item"
  expect(await parseBackfill(fileOf(text))).toMatchObject({ after: "20260101000000_init", batch: 500 })
})
