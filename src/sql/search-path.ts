import type { Node } from "libpg-query"
import { identifiers } from "./tree.js"

/** The schemas that SET search_path or set_config('search_path', ...) names, in order; undefined for other statements. */
export function searchPathSetBy(node: Node): readonly string[] | "default" | undefined {
  if ("VariableSetStmt" in node) {
    const { name, kind, args } = node.VariableSetStmt
    if (kind === "VAR_RESET_ALL") return "default"
    if (name !== "search_path") return undefined
    return kind === "VAR_SET_VALUE" ? (args ?? []).flatMap((each) => constant(each) ?? []) : "default"
  }
  if (!("SelectStmt" in node)) return undefined
  for (const target of node.SelectStmt.targetList ?? []) {
    const call = "ResTarget" in target ? target.ResTarget.val : undefined
    if (call === undefined || !("FuncCall" in call)) continue
    const { funcname, args = [] } = call.FuncCall
    const [setting, value] = args.map(constant)
    if (identifiers(funcname).at(-1) !== "set_config" || setting !== "search_path" || value === undefined) continue
    return value.split(",").flatMap((each) => each.trim().replaceAll('"', "") || [])
  }
  return undefined
}

function constant(node: Node): string | undefined {
  return "A_Const" in node ? node.A_Const.sval?.sval : undefined
}
