import { createHash } from "node:crypto"
import { expect, test } from "vitest"
import { asHtml } from "../../../src/report/html/document.js"
import { emptyPicture } from "../../../src/report/html/picture.js"
import { finding, hostile, migration, page } from "./example.js"

const now = new Date("2026-03-01T09:30:00Z")
const rendered = (text: string) => {
  const { report, picture } = page(text)
  return asHtml(report, picture, now)
}
const count = (text: string, part: string): number => text.split(part).length - 1
const captured = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, part = ""]) => part)

test("no text of a user's becomes an element, an attribute or a control character", async () => {
  const text = await rendered(hostile)
  expect(count(text, "<script")).toBe(1)
  expect(count(text, "</script")).toBe(1)
  expect(count(text, "<style")).toBe(1)
  expect(text).not.toContain("<img")
  expect(text).not.toContain("<!--")
  expect(text).not.toMatch(/[\u001b\u202e]/)
  // The tags alone, without what is quoted in them.
  const tags = captured(text.replace(/<(style|script)>.*?<\/\1>/gs, ""), /<([^>]*)>/g)
  expect(tags.filter((tag) => /\son\w+\s*=/.test(tag.replaceAll(/"[^"]*"/g, '""')))).toEqual([])
  expect(count(text, "onerror=&quot;alert(1)&quot;")).toBeGreaterThan(15)
})

test("its policy allows this style and this script, and no network", async () => {
  const text = await rendered("plain")
  const [policy = ""] = captured(text, /http-equiv="Content-Security-Policy" content="([^"]*)"/g)
  const hashes = [/<style>(.*?)<\/style>/gs, /<script>(.*?)<\/script>/gs].map((pattern) => {
    const [content = ""] = captured(text, pattern)
    return `'sha256-${createHash("sha256").update(content).digest("base64")}'`
  })
  const [style, script] = hashes
  expect(policy.replaceAll("&#39;", "'")).toBe(
    `default-src 'none'; style-src ${style}; script-src ${script}; img-src data:; base-uri 'none'; form-action 'none'`,
  )
  expect(text).not.toMatch(/\s(?:src|style|action)=|https?:|url\(|@import/)
})

test("it says the verdict first, and every link leads somewhere", async () => {
  const text = await rendered("plain")
  expect(captured(text, /<h1>(.*?)<\/h1>/g)).toEqual(["1 failed."])
  expect(text.indexOf("<h1>")).toBeLessThan(text.indexOf("<h2"))
  const ids = captured(text, /\sid="([^"]*)"/g)
  expect(new Set(ids).size).toBe(ids.length)
  const targets = captured(text, /href="#([^"]*)"/g)
  expect(targets).toContain("m1-2")
  expect(targets.filter((target) => !ids.includes(target))).toEqual([])
})

test("a finding stands beside its line, a migration in the history, a check in the list", async () => {
  const text = await rendered("plain")
  const line = text.indexOf('<li class="hit" id="m1-2">')
  expect(text.indexOf('role="note"')).toBeGreaterThan(line)
  expect(text).toMatch(/class="s-undone".*undone/)
  expect(text).toContain("2026-01-01 10:00")
  expect(text).toContain("Readers and writers wait")
  expect(text).toMatch(/schema\/drift<\/code>.*skipped/)
})

test("a history of 430 migrations, all of them pending, takes less than 1.5 MB, with what is found in the page", async () => {
  const names = Array.from({ length: 430 }, (_, at) => `2026010100${String(at).padStart(4, "0")}_change`)
  const body = Array.from(
    { length: 60 },
    (_, at) => `ALTER TABLE "Order" ADD COLUMN "field_${at}" VARCHAR(40) DEFAULT 'x';`,
  )
  const first = names[0] ?? ""
  const report = {
    command: "plan",
    verdict: "430 pending migrations.",
    items: [{ name: first, state: "warned" as const, findings: [finding(first, "")], accepted: [] }],
  }
  const picture = {
    ...emptyPicture,
    history: names.map((name) => ({ name, state: "pending" as const })),
    migrations: names.map((name) => migration(name, `-- ${name}\n${body.join("\n")}\n`)),
  }
  const text = await asHtml(report, picture, now)
  expect(Buffer.byteLength(text)).toBeLessThan(1_500_000)
  const shown = captured(text, /The SQL of (\d+) of 430 is shown/g).map(Number)[0]
  expect(shown).toBeGreaterThan(20)
  expect(count(text, '<article class="migration"')).toBe(shown)
  expect(text).toContain('id="m1-2"')
  expect(names.filter((name) => !text.includes(name.slice(15)) || !text.includes(name.slice(0, 14)))).toEqual([])
})

test("an empty line of a message is no statement", async () => {
  const name = "20260101000000_init"
  const empty = { ...finding(name, "plain"), message: "Added:\n- a column\n\n- an index", file: "prisma/schema.prisma" }
  const items = [{ name, state: "warned", findings: [empty], accepted: [] }] as const
  const text = await asHtml({ command: "check", verdict: "1 warned.", items }, emptyPicture, now)
  expect(text).toContain("<p>Added:\n- a column\n\n- an index</p>")
  expect(text).not.toMatch(/<code><\/code>/)
})

test("a report without a picture is a page all the same", async () => {
  const text = await asHtml(
    { command: "status", verdict: "Up to date: 2 of 2 migrations applied.", items: [] },
    emptyPicture,
    now,
  )
  expect(text).toContain("<h1>Up to date: 2 of 2 migrations applied.</h1>")
  expect(text).toContain("Passed")
})

test("what is pending is no failure: the history shows it", async () => {
  const { report, picture } = page("plain")
  const pending = { ...finding("20260103000000_plain", ""), check: "status/pending", severity: "error" as const }
  const items = [{ name: "20260103000000_plain", state: "failed" as const, findings: [pending], accepted: [] }]
  const text = await asHtml({ ...report, items }, picture, now)
  expect(text).toContain('<section class="overview warn"')
  expect(text).not.toContain("Look at this first")
})

test("of a fleet, those that are behind come first, and a reason is said once", async () => {
  const migrations = ["1_init", "2_orders"]
  const rows = [
    { name: "a", group: null, state: "done", newest: "2_orders" },
    { name: "<b>", group: "eu", state: "failed", newest: "1_init", pending: ["2_orders"] },
    { name: "c", group: "eu", state: "failed", newest: null },
  ]
  const failed = { name: "c", state: "failed" as const, findings: [finding("2_orders", "")], accepted: [] }
  const report = {
    ...{ command: "deploy", verdict: "1 of 3 up to date, 2 failed.", items: [failed, { ...failed, name: "<b>" }] },
    ...{
      groups: [{ finding: finding("2_orders", ""), items: ["<b>", "c"] }],
      grid: { of: "migration" as const, names: migrations, rows },
    },
  }
  const text = await asHtml(report, emptyPicture, now)
  expect(count(text, 'class="finding ')).toBe(1)
  expect(text).toContain("in &lt;b&gt;, c")
  expect(text).toContain("1 of 3 have the newest of 2 migrations: 1 done, 2 failed.")
  expect(text.indexOf("<code>&lt;b&gt;</code>")).toBeLessThan(text.indexOf("<code>a</code>"))
  expect(text).toMatch(/<code>&lt;b&gt;<\/code>.*\n.*class="reached" width="50.0%"/)
})
