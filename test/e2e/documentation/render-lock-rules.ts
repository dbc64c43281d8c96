import { type Rule, ruleGroups } from "../../../src/sql/rules.js"

/** docs/lock-rules.md: the rules as tables, one a subject. */
export function lockRulesPage(): string {
  const groups = Object.entries(ruleGroups).map(([subject, group]) => [
    `## ${subject}`,
    "",
    "| statement | lock | cost | rewrites | scans | why | safer |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...Object.entries<Rule>(group).map(([id, rule]) => row(id, rule)),
    "",
  ])
  return [...head, ...groups.flat()].join("\n")
}

const head = [
  "# What each statement does to its table",
  "",
  "`lockstep plan` names the lock that each statement takes and what it costs, by these rules. They are not remembered but",
  "measured: every example runs on a real PostgreSQL 18 in the tests, which look at `pg_locks` for the mode, at the table's",
  "file for a rewrite, and at the statistics for a scan; `make test-matrix` runs them on 13 to 17 as well. *18+* is a statement",
  "that only this and later versions have; what an older version does in another way stands with it. A lock is held until",
  "its transaction ends, whatever took it.",
  "",
  "Who waits for whom: ACCESS EXCLUSIVE keeps out readers and writers, EXCLUSIVE to SHARE keep out writers, and",
  "SHARE UPDATE EXCLUSIVE and the weaker ones keep out neither, only other changes of the schema. A statement that has to",
  "wait for its lock makes all who come later wait as well, the readers included, which is why deploys set `lock_timeout`.",
  "",
  "*depends*: on what is not visible in the SQL. The links lead to PostgreSQL's documentation.",
  "",
]

function row(
  id: string,
  { what, lock, cost, rewrites, scans, why, page, example, since, before, safer = "" }: Rule,
): string {
  const link = `[${what}](https://www.postgresql.org/docs/current/${page}.html)`
  const versions = [since === undefined ? [] : `*${since}+*`, before === undefined ? [] : `(${before})`].flat()
  const named = [link, ...versions].join(" ")
  const words = [`${named}<br>\`${example}\``, lock, cost, said(rewrites), said(scans), why, safer]
  return `| <a id="${id}"></a>${words.map((word) => word.replaceAll("|", "\\|").replace(/\{(\w+)\}/g, '"$1"')).join(" | ")} |`
}

function said(value: boolean | "depends"): string {
  return value === "depends" ? "depends" : value ? "yes" : "no"
}
