import { parseScript } from "../../sql/parse.js"

/** What a server has once for all its databases, so that no database's catalogs show who made it. */
const ofServer = /\b(?:create|alter|drop|grant)\s+(?:role|user|group|tablespace|database)\b|\balter\s+system\b/i

/** The statements of migrations that change the server rather than the database: they are kept as they were written. */
export async function serverStatements(scripts: readonly string[]): Promise<readonly string[]> {
  const kept: string[] = []
  for (const sql of scripts) {
    if (!ofServer.test(sql)) continue
    const script = await parseScript(sql)
    if (script.kind === "unparsed") continue
    for (const { text, node } of script.statements) {
      const makesFunction = "CreateFunctionStmt" in node
      if (ofServer.test(text) && !makesFunction && !/^\s*comment\b/i.test(text)) kept.push(text)
    }
  }
  return kept
}
