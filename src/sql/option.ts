import type { Node } from "libpg-query"

/** Whether a boolean option of a statement is on; named without a value means on (PostgreSQL's defGetBoolean). */
export function isSet(options: readonly Node[] | undefined, name: string, absent: boolean): boolean {
  const option = options
    ?.flatMap((each) => ("DefElem" in each ? [each.DefElem] : []))
    .findLast(({ defname }) => defname === name)
  if (option === undefined) return absent
  const value = option.arg
  if (value === undefined) return true
  if ("Boolean" in value) return value.Boolean.boolval === true
  if ("Integer" in value) return (value.Integer.ival ?? 0) !== 0
  return "String" in value && /^(t|tr|tru|true|on|y|ye|yes|1)$/i.test(value.String.sval ?? "")
}
