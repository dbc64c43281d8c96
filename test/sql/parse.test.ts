import { describe, expect, test } from "vitest"
import { parseScript, type Script } from "../../src/sql/parse.js"
import { kindOf } from "../../src/sql/tree.js"

async function parsed(source: string): Promise<Script> {
  const script = await parseScript(source)
  if (script.kind === "unparsed") throw new Error(script.message)
  return script
}

describe("a script is split into statements", () => {
  test.each([
    ["nothing", "", []],
    ["comments alone", "-- a\n/* b */\n", []],
    ["semicolons alone", ";;\n;", []],
    ["without a last semicolon", "SELECT 1;\nSELECT 2", ["SELECT 1", "SELECT 2"]],
    [
      "semicolons in strings, comments, bodies",
      `SELECT ';' /* ; */;\nDO $$ BEGIN; END $$;`,
      ["SELECT ';'", "DO $$ BEGIN; END $$"],
    ],
    ["comments around", "-- a\nSELECT 1 -- b ;\n;\n/* c */ SELECT 2 /* d */ -- e", ["SELECT 1", "SELECT 2"]],
    ["comments inside stay", "SELECT 1, -- one\n 2", ["SELECT 1, -- one\n 2"]],
    ["a trailing comment in a string is none", "SELECT '-- a'", ["SELECT '-- a'"]],
    ["several bytes a character", "SELECT 'é';SELECT '😀' -- 😀\n;SELECT 3", ["SELECT 'é'", "SELECT '😀'", "SELECT 3"]],
    ["a byte order mark", "\ufeffSELECT 1;", ["SELECT 1"]],
    ["CRLF", "SELECT 1;\r\n\r\nSELECT 2;\r\n", ["SELECT 1", "SELECT 2"]],
    [
      "a function with a SQL body",
      "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3",
      ["CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END", "SELECT 3"],
    ],
  ])("%s", async (_, source, texts) => {
    const { statements } = await parsed(source)
    expect(statements.map(({ text }) => text)).toEqual(texts)
    expect(statements.map(({ index }) => index)).toEqual(texts.map((_, index) => index))
    for (const { text, start, end } of statements) expect(source.slice(start, end)).toBe(text)
  })

  test("each with its parse tree and its place", async () => {
    const { statements } = await parsed(
      "\ufeff-- é😀\r\n  SELECT '😀'; UPDATE t SET a = 1;\r\n\r\n/* é */ DELETE FROM t",
    )
    const places = statements.map(({ node, line, column }) => [kindOf(node), line, column])
    expect(places).toEqual([
      ["SelectStmt", 2, 3],
      ["UpdateStmt", 2, 15],
      ["DeleteStmt", 4, 9],
    ])
  })
})

describe("a syntax error is reported with its place", () => {
  test.each<[string, string, { line: number; column: number; message?: RegExp; metaCommand?: string }]>([
    ["a syntax error", "SELECT 1;\nSELECT '😀é' FRM x y", { line: 2, column: 17, message: /at or near "x"/ }],
    ["an unterminated string", "SELECT 1;\n SELECT 'a", { line: 2, column: 9, message: /unterminated/ }],
    ["a NUL character", "SELECT '\0'", { line: 1, column: 9, message: /NUL/ }],
    ["psql's \\connect", "SELECT 1;\n\\connect shop\n", { line: 2, column: 1, metaCommand: "\\connect" }],
    [
      "pg_dump's \\restrict",
      "-- dump\r\n\\restrict abc\r\nSELECT 1;",
      { line: 2, column: 1, metaCommand: "\\restrict" },
    ],
    ["psql's \\d", "\\d", { line: 1, column: 1, metaCommand: "\\d" }],
    ["psql's \\gset after a query", "SELECT 1 \\gset", { line: 1, column: 10, metaCommand: "\\gset" }],
  ])("%s", async (_, source, { message = /./, ...place }) => {
    const result = await parseScript(source)
    expect(result).toMatchObject({ kind: "unparsed", message: expect.stringMatching(message), ...place })
  })

  test("after the first part of a long file as well", async () => {
    const source = `${"SELECT 'é';\n".repeat(20_000)}SELEC 1;\n${"SELECT 1;\n".repeat(20_000)}`
    const result = await parseScript(source)
    expect(result).toMatchObject({ kind: "unparsed", line: 20_001, column: 1, offset: source.indexOf("SELEC 1") })
  })

  test("and an expression too deep for the parser does not break it", async () => {
    expect(await parseScript(`SELECT ${Array(100_000).fill("1").join("+")}`)).toMatchObject({ kind: "unparsed" })
    expect(await parseScript("SELECT 1")).toMatchObject({ kind: "script" })
  })
})

describe("long files", () => {
  test("10 MB of statements", async () => {
    const line = `INSERT INTO "Order" ("id", "note") VALUES (1, '${"é".repeat(400)}');\n`
    const count = Math.ceil(10_000_000 / Buffer.byteLength(line))
    const { statements } = await parsed(line.repeat(count))
    expect(statements).toHaveLength(count)
    expect(statements.at(-1)).toMatchObject({ line: count, column: 1, text: line.slice(0, -2) })
  })

  test("a 10 MB string in one statement", async () => {
    const { statements } = await parsed(`SELECT 1;\nSELECT '${"x;\n".repeat(3_500_000)}';\nSELECT 3;`)
    expect(statements.map(({ start, end }) => end - start)).toEqual([8, 10_500_009, 8])
  })

  const row = `(1, 'a;b),(c -- d', f((2), (3)) /* ), ( */, '😀')`
  const rows = Array<string>(6000).fill(row).join(",\n")
  test.each([
    ["as it is", ""],
    ["with ON CONFLICT", " ON CONFLICT (a) DO UPDATE SET a = f(1), (b, c) = (2, 3)"],
    ["with RETURNING", ` RETURNING f(1), (2), ${Array<string>(8000).fill("f(1), (2)").join(", ")}`],
    ["with ORDER BY", ` ORDER BY f(1), (2), ${Array<string>(8000).fill("f(1), (2)").join(", ")}`],
    ["with a comment between two rows", `\n-- (1), (2)\n,(1)${", (1)".repeat(50_000)}`],
  ])("an INSERT of many rows, %s", async (_, tail) => {
    const insert = `INSERT INTO t VALUES ${rows}${tail}`
    const { statements } = await parsed(`-- é\nSELECT 1;\n  ${insert};\nSELECT 2, (3), (4);`)
    expect(statements.map(({ text }) => text)).toEqual(["SELECT 1", insert, "SELECT 2, (3), (4)"])
    expect(statements[1]).toMatchObject({ index: 1, line: 3, column: 3, start: 17 })
    expect(statements[1]?.node).toMatchObject({ InsertStmt: { relation: { relname: "t" } } })
  })

  test("a syntax error in the rows of an INSERT is reported with its place", async () => {
    const source = `SELECT 1;\nINSERT INTO t VALUES ${rows},\n(1, 2 3),\n${rows};`
    expect(await parseScript(source)).toMatchObject({
      kind: "unparsed",
      line: 6002,
      column: 7,
      message: /at or near "3"/,
    })
  })

  test("one line of statements, with semicolons in strings", async () => {
    const line = "SELECT 'a;b';SELECT 1/*;*/;".repeat(10_000)
    const { statements } = await parsed(line)
    expect(statements.map(({ text }) => text)).toEqual(
      Array.from({ length: 20_000 }, (_, index) => (index % 2 === 0 ? "SELECT 'a;b'" : "SELECT 1")),
    )
  })

  const long = `E'${"it\\'s; é😀\n".repeat(300_000)}'`

  test("what comes after literals of 3 MB is found in its place", async () => {
    const source = `INSERT INTO t VALUES (${long}),\n(${long}); DO $$ BEGIN ${long} COMMIT; END $$;\nSELECT ${long} AS b -- c\n;`
    const { statements } = await parsed(source)
    expect(statements.map(({ line, column }) => ({ line, column }))).toEqual([
      { line: 1, column: 1 },
      { line: 600_002, column: 5 },
      { line: 900_003, column: 1 },
    ])
    for (const { text, start, end } of statements) expect(text).toBe(source.slice(start, end))
    expect(statements.at(-1)?.text.endsWith("AS b")).toBe(true)
  })

  test("and so is a syntax error", async () => {
    const found = await parseScript(`SELECT ${long};\nSELECT 'é' FRM x y`)
    expect(found).toMatchObject({ kind: "unparsed", line: 300_002, column: 16 })
  })

  test("a DO block with such a literal that commits is known to", async () => {
    const { statements } = await parsed(`DO $$ BEGIN PERFORM ${long}; COMMIT; END $$`)
    expect(statements).toMatchObject([{ endsTransaction: true }])
  })

  test("a statement that ends in a comment after a cut is not taken for a whole one", async () => {
    const padding = `SELECT '${"x".repeat(70_000)}'`
    const { statements } = await parsed(`${padding} -- not the end;\n, 2;\nSELECT 3`)
    expect(statements.map(({ text }) => text.slice(-12))).toEqual(
      ["he end;\n, 2", "SELECT 3"].map((text) => expect.stringContaining(text)),
    )
  })
})

test.each([
  ["DO $$ BEGIN COMMIT; END $$", true],
  ["DO LANGUAGE plpgsql $$ BEGIN FOR i IN 1..3 LOOP IF i = 2 THEN ROLLBACK; END IF; END LOOP; END $$", true],
  ["DO $$ BEGIN RAISE NOTICE 'commit'; END $$", false],
  ["DO $$ BEGIN NULL; -- COMMIT\n END $$", false],
  ["CALL elsewhere()", false],
  ["CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$", false],
])("whether %s ends a transaction itself: %s", async (source, expected) => {
  expect((await parsed(source)).statements.map(({ endsTransaction }) => endsTransaction)).toEqual([expected])
})

test("a CALL of a procedure that the script creates and that commits ends a transaction itself", async () => {
  const { statements } = await parsed(`
    CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;
    CREATE PROCEDURE q() LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
    CALL p(); CALL q();`)
  expect(statements.map(({ endsTransaction }) => endsTransaction)).toEqual([false, false, true, false])
})
