/** The parts of a qualified name, each as it is written: `public."a.b".c` has three. */
export const partsOf = (name: string): readonly string[] => name.match(/"(?:[^"]|"")+"|[^."]+/g) ?? [name]

/** The last part, without its quotes. A function keeps its arguments. */
export function lastOf(name: string): string {
  const [, head = name, args = ""] = /^((?:"(?:[^"]|"")+"|[^("])+)(\(.*\))?$/s.exec(name) ?? []
  return unquoted(partsOf(head).at(-1) ?? head) + args
}

const unquoted = (part: string): string => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part)

/** The columns of a constraint: those in its first parentheses. */
export function columnNames(definition: string): readonly string[] {
  const list = /\(((?:"(?:[^"]|"")+"|[^)"])+)\)/.exec(definition)?.[1] ?? ""
  return (list.match(/"(?:[^"]|"")+"|[^,"\s]+/g) ?? []).map(unquoted)
}

const shorter: readonly (readonly [RegExp, string])[] = [
  [/^character varying/, "varchar"],
  [/^character(?=\(|$)/, "char"],
  [/^timestamp(\(\d\))? without time zone/, "timestamp$1"],
  [/^timestamp(\(\d\))? with time zone/, "timestamptz$1"],
  [/^double precision/, "float8"],
  [/^boolean/, "bool"],
  [/^integer/, "int"],
]

/** A column's type as there is room for it: the usual short names, without the schema; a question mark where it may be null. */
export function typeText(definition: string): string {
  const isNullable = !/ NOT NULL\b/.test(definition)
  const [type = ""] = definition.split(/ (?:COLLATE|NOT NULL|DEFAULT|GENERATED) ?/)
  const bare = type.replace(/^(?:"(?:[^"]|"")+"|[\w$]+)\.(?=["\w])/, "").replaceAll('"', "")
  const short = shorter.reduce((text, [long, words]) => text.replace(long, words), bare)
  return isNullable ? `${short}?` : short
}
