import { parseScript } from "../sql/parse.js"

/** The URL's schema, and those that a history creates: the schemas whose objects are the history's. */
export async function schemasMadeBy(
  history: readonly { readonly sql: string }[],
  own: string,
): Promise<readonly string[]> {
  const made = new Set([own])
  for (const { sql } of history) {
    // Most files create none, and need not be parsed.
    if (!/\bcreate\s+schema\b/i.test(sql)) continue
    const script = await parseScript(sql)
    if (script.kind !== "script") continue
    for (const { node } of script.statements)
      if ("CreateSchemaStmt" in node && node.CreateSchemaStmt.schemaname) made.add(node.CreateSchemaStmt.schemaname)
  }
  return [...made]
}
