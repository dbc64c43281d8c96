import { isMap, isScalar, parseDocument, stringify, type YAMLMap } from "yaml"

/** A key to add to a map of a YAML file. */
export interface YamlAddition {
  /** Where the map is; [] is the file's own. */
  readonly path: readonly string[]
  readonly key: string
  readonly value: unknown
  readonly comment?: string
}

/**
 * Adds a key at the end of a map, or an item at the end of a list, and touches nothing else: comments, quotes and indentation
 * stay. undefined where the file cannot be read as YAML, or the map is not written in lines.
 */
export function addToYaml(text: string, addition: YamlAddition): string | undefined {
  const document = parseDocument(text)
  if (document.errors.length > 0) return undefined
  if (document.contents === null) return `${text.replace(/\n*$/, text.trim() ? "\n" : "")}${lines(addition, 0)}\n`
  const map = document.getIn(addition.path, true) ?? (addition.path.length === 0 ? document.contents : undefined)
  if (!isMap(map) || map.flow || map.items.length === 0) return undefined
  const indent = columnOf(text, map)
  const end = map.items.at(-1)?.value
  const last = isMap(end) || isScalar(end) || hasRange(end) ? end.range?.[1] : undefined
  if (indent === undefined || last == null) return undefined
  const at = endOfLine(text, lastContent(text, last))
  const before = text.slice(0, at)
  return `${before}${before.endsWith("\n") ? "" : "\n"}${lines(addition, indent)}${text.slice(at) || "\n"}`
}

const hasRange = (node: unknown): node is { range?: readonly [number, number, number] | null } =>
  typeof node === "object" && node !== null && "range" in node

/** What a block map ends with may be the blank lines after it. */
function lastContent(text: string, end: number): number {
  return text.slice(0, end).trimEnd().length
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at)
  return end < 0 ? text.length : end
}

/** The column at which a map's keys begin. */
function columnOf(text: string, map: YAMLMap): number | undefined {
  const key = map.items[0]?.key
  const start = isScalar(key) ? key.range?.[0] : undefined
  return start === undefined ? undefined : start - (text.lastIndexOf("\n", start - 1) + 1)
}

function lines({ key, value, comment }: YamlAddition, indent: number): string {
  const body = stringify({ [key]: value }, { lineWidth: 0, nullStr: "" }).trimEnd()
  const all = [...(comment ? [`# ${comment}`] : []), ...body.split("\n")]
  return all.map((line) => (line === "" ? line : " ".repeat(indent) + line)).join("\n")
}
