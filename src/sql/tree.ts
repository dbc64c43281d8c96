import type { Node } from "libpg-query"

type Nodes = { [Each in Node as keyof Each]: Each[keyof Each] }

/** The name of a parse tree node's type, such as "IndexStmt". */
export type NodeKind = keyof Nodes
/** The node that a kind names. */
export type NodeOf<Kind extends NodeKind> = Nodes[Kind]

/** The node's type: a parse tree node is an object with that one key. */
export function kindOf(node: Node): string {
  return Object.keys(node)[0] ?? ""
}

/** Every node of a kind in a parse tree, outermost first. */
export function* find<Kind extends NodeKind>(tree: unknown, kind: Kind): Generator<NodeOf<Kind>> {
  for (const each of objectsIn(tree)) if (holds(each, kind)) yield each[kind]
}

/** Whether a tree (PL/pgSQL's included) has an object with one of these keys anywhere. */
export function mentions(tree: unknown, keys: readonly string[]): boolean {
  for (const each of objectsIn(tree)) if (keys.some((key) => key in each)) return true
  return false
}

/** Not recursive: an expression of thousands of terms nests as deep. */
function* objectsIn(tree: unknown): Generator<object> {
  const waiting = [tree]
  while (waiting.length > 0) {
    const each = waiting.pop()
    if (typeof each !== "object" || each === null) continue
    yield each
    for (const child of Object.values(each).reverse()) if (typeof child === "object") waiting.push(child)
  }
}

/** The identifiers of a list of String nodes, such as a qualified name. */
export function identifiers(list: readonly Node[] | undefined): string[] {
  return (list ?? []).flatMap((item) => ("String" in item ? [item.String.sval ?? ""] : []))
}

function holds<Kind extends NodeKind>(tree: object, kind: Kind): tree is Record<Kind, NodeOf<Kind>> {
  return kind in tree
}
