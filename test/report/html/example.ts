import type { Finding } from "../../../src/check/finding.js"
import type { CatalogObject } from "../../../src/postgres/catalog.js"
import type { Report } from "../../../src/report/formats/report.js"
import type { Picture, ShownBackfill, ShownMigration } from "../../../src/report/html/picture.js"

/** Text that would end whatever it stands in, if it could. */
export const hostile = `</script></style><img src=x onerror="alert(1)">"'&\u001b[31m\u202e<!--`

const file = (name: string) => `prisma/migrations/${name}/migration.sql`

export const migration = (name: string, sql: string): ShownMigration => ({
  ...{ name, sql, file: file(name), state: "pending", traits: ["in one transaction"], scale: "estimated" },
  statements: [
    {
      ...{ line: 2, width: 1, time: undefined, rows: [] },
      locks: [
        {
          ...{ table: '"Order"', size: "18 M rows, 4.2 GB", lock: "ACCESS EXCLUSIVE", waits: "readers and writers" },
          ...{ until: "end of migration", work: ["rewrites the table"] },
        },
      ],
    },
  ],
})

export const backfill = (text: string): ShownBackfill => ({
  ...{ name: `20260301000000_fill ${text}`, file: `prisma/backfills/${text}.sql`, sql: `UPDATE a SET b = '${text}'` },
  ...{ state: "unfinished", walked: 30, estimated: 120, notes: [`30 rows changed ${text}`] },
})

export const finding = (name: string, text: string): Finding => ({
  ...{ check: "plan/rewrites", severity: "warning", title: `a table is rewritten ${text}`, fixable: false },
  ...{ message: `"Order": rewrites a table ${text}`, file: file(name), line: 2, object: `"Order" ${text}` },
  ...{ next: `safer: \`lockstep migrate\` ${text}`, docs: "docs/lock-rules.md" },
})

const object = (kind: CatalogObject["kind"], name: string, definition = ""): CatalogObject => ({
  ...{ kind, name, definition, create: "", drop: "" },
})

/** Two tables with a foreign key between them. */
export const catalog: readonly CatalogObject[] = [
  object("table", 'public."User"'),
  object("column", 'public."User".id', "uuid NOT NULL"),
  object("column", 'public."User".name', "character varying(80)"),
  object("constraint", 'public."User"."User_pkey"', "PRIMARY KEY (id)"),
  object("table", 'public."Order"'),
  object("column", 'public."Order".id', "uuid NOT NULL"),
  object("column", 'public."Order"."userId"', "uuid NOT NULL"),
  object("constraint", 'public."Order"."Order_pkey"', "PRIMARY KEY (id)"),
  object(
    "constraint",
    'public."Order"."Order_userId_fkey"',
    'FOREIGN KEY ("userId") REFERENCES public."User"(id) ON DELETE CASCADE',
  ),
  object("enum", 'public."Status"', "'NEW', 'DONE'"),
]

/** The same with a column of another type, a new table and another enum. */
export const laterCatalog: readonly CatalogObject[] = [
  ...catalog.map((one) => (one.name.endsWith(".name") ? object("column", one.name, "text NOT NULL") : one)),
  object("table", "public.note"),
  object("column", "public.note.id", "bigint NOT NULL"),
  object("column", "public.note.order_id", "uuid"),
  object("constraint", "public.note.note_order_id_fkey", 'FOREIGN KEY (order_id) REFERENCES public."Order"(id)'),
].map((one) => (one.kind === "enum" ? object("enum", one.name, "'NEW', 'DONE', 'LOST'") : one))

/** A page with everything that a page may have, whose texts all hold `text`. */
export function page(text: string): { readonly report: Report; readonly picture: Picture } {
  const names = ["20260101000000_init", "20260102000000_orders", `20260103000000_${text}`]
  const [init = "", orders = "", odd = ""] = names
  const sql = `-- ${text}\nALTER TABLE "Order" ALTER COLUMN "note" TYPE TEXT; -- ${text}\nSELECT '${text.replaceAll("'", "''")}';\n`
  return {
    report: {
      command: "check",
      verdict: `1 failed. Correct ${text}`,
      items: [
        { name: "lock/rewrites", state: "failed", findings: [finding(odd, text)], accepted: [], durationMs: 12 },
        {
          name: `history/${text}`,
          state: "passed",
          findings: [],
          accepted: [{ reason: text, finding: finding(orders, text) }],
        },
        { name: "schema/drift", state: "skipped", findings: [], accepted: [], skipped: `no database ${text}` },
      ],
    },
    picture: {
      subject: `db.internal:5432/${text}`,
      basis: `Observed on ${text}.`,
      remarks: [`missing: ${text}`],
      facts: [{ label: "Pending", value: text, tone: "info" }],
      history: [
        { name: init, state: "applied", at: "2026-01-01T10:00:00.000Z" },
        { name: orders, state: "undone", note: text },
        { name: odd, state: "pending", note: text },
      ],
      migrations: [migration(odd, sql)],
      backfills: [backfill(text)],
      schema: {
        before: catalog,
        after: [
          ...laterCatalog,
          object("table", `public."${text.replaceAll('"', '""')}"`, text),
          object("view", "public.recent", text),
        ],
      },
    },
  }
}
