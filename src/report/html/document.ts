import { createHash } from "node:crypto"
import type { Finding } from "../../check/finding.js"
import { version } from "../../version.js"
import { findingsOf, type Report } from "../formats/report.js"
import { backfillsSection } from "./backfills.js"
import { checkList, findingList } from "./findings.js"
import { fleetSection, time, timeline } from "./history.js"
import { type Content, html, type Markup, prose, trusted } from "./markup.js"
import { migrationSection } from "./migration.js"
import type { Fact, Picture, ShownMigration, Tone } from "./picture.js"
import { script } from "./script.js"
import { style } from "./style.js"

/** What the SQL of all migrations may take, in UTF-16 code units: the page has to stay under 1.5 MB. */
const roomForMigrations = 800_000

/**
 * The report as one HTML document that needs nothing else: its style and script are in it, and its policy forbids the
 * network. Everything can be read without the script. `now`: when it was made.
 */
export async function asHtml(report: Report, picture: Picture, now: Date): Promise<string> {
  const findings = findingsOf(report).filter(isShown)
  const ids = new Map(picture.migrations.map(({ file }, at) => [file.replaceAll("\\", "/"), `m${at + 1}`]))
  const idOf = (file: string | undefined) => (file === undefined ? undefined : ids.get(file))
  const chapters = await chaptersOf(picture, findings, idOf)
  const shown = new Map(chapters.map(({ migration, id }) => [migration.name, id]))
  const shownElsewhere = [...picture.history, ...picture.backfills, ...(report.grid?.rows ?? [])]
  const names = new Set(shownElsewhere.map(({ name }) => name))
  const byId = new Map(chapters.map((one) => [one.id, one]))
  const schema = picture.schema && (await import("./diagram/section.js")).schemaSection(picture.schema)
  const sections: readonly (readonly [id: string, title: string, content: Content])[] = [
    ["findings", "Findings", findingList(findings, ({ file }) => byId.get(idOf(file) ?? ""))],
    ["fleet", "Databases", report.grid && fleetSection(report.grid)],
    ["history", "History", timeline(picture.history, shown)],
    ["migrations", "Migrations", migrationsSection(chapters, picture.migrations)],
    ["backfills", "Backfills", await backfillsSection(picture.backfills)],
    ["schema", "Schema", schema],
    ["checks", "Checks", checkList(report.items.filter(({ name }) => !names.has(name)))],
  ]
  const present = sections.filter(([, , content]) => content !== undefined)
  const body = html`<a class="skip" href="#main">To the report</a>
<header class="bar"><span class="brand">lockstep <b>${report.command}</b></span><nav aria-label="Sections">${present.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}</nav><span class="tools"><button type="button" class="step" value="-1" hidden aria-label="Previous finding" title="Previous finding">↑</button><button type="button" class="step" value="1" hidden aria-label="Next finding" title="Next finding">↓</button><button type="button" id="expand" hidden aria-pressed="false">Expand all</button><button type="button" id="theme" hidden>Theme: system</button></span></header>
<main id="main" tabindex="-1">
${overview(report, picture)}
${present.map(([, , content]) => content)}
</main>
<footer><p>Made by lockstep ${version} at ${time(now.toISOString())} UTC. All times are UTC.</p></footer>`
  return page({ title: `lockstep ${report.command}: ${report.verdict}`, body })
}

/** The history shows what is pending, and the list of databases which are behind. */
const isShown = ({ check }: Finding): boolean => check !== "status/pending" && check !== "fleet/behind"

const hashOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

/** Only this style and this script run, and nothing is fetched or sent. */
function page({ title, body }: { readonly title: string; readonly body: Markup }): string {
  const policy = `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; img-src data:; base-uri 'none'; form-action 'none'`
  return `${
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${trusted(style)}</style>
</head>
<body>
${body}
<script>${trusted(script)}</script>
</body>
</html>`.text
  }\n`
}

/** What a reader wants first: how it ended, in a sentence, and about which database. */
function overview(report: Report, picture: Picture): Markup {
  const { verdict, items, command } = report
  const { subject, basis, remarks, facts } = picture
  const tone = toneOf(items, isUnfinished(report, picture))
  const hasFindings = items.some(({ findings }) => findings.some(isShown))
  const word = tone === "warn" && !hasFindings ? "Pending" : words[tone]
  // A name may hold a full stop; a sentence begins with a capital.
  const [, first = verdict, rest] = /^(.+?[.:])\s+([A-Z].*)$/s.exec(verdict) ?? []
  return html`<section class="overview ${tone}" aria-label="Verdict">
<p class="eyebrow"><span class="badge ${tone}">${word}</span> ${command}${subject !== undefined && html` <span class="muted">on</span> <code>${subject}</code>`}</p>
<h1>${prose(first)}</h1>
${rest !== undefined && html`<p class="rest">${prose(rest)}</p>`}
${basis !== undefined && html`<p class="basis">${prose(basis)}</p>`}
${remarks.length > 0 && html`<ul class="remarks">${remarks.map((one) => html`<li>${prose(one)}</li>`)}</ul>`}
${facts.length > 0 && html`<dl class="facts">${facts.map(fact)}</dl>`}
</section>`
}

const words = { good: "Passed", warn: "Look first", bad: "Failed" } as const

/** Backfills that are still to be run. */
const isUnfinished = ({ grid }: Report, { backfills }: Picture): boolean =>
  backfills.some(({ state }) => state !== "finished") ||
  (grid?.of === "backfill" && grid.rows.some(({ state }) => state === "not finished"))

/** Pending migrations are no failure of anything, although a status exits with 1 for them. */
function toneOf(items: Report["items"], isPending: boolean): "good" | "warn" | "bad" {
  const isBad = ({ state, findings }: Report["items"][number]) =>
    state === "failed" && (findings.length === 0 || findings.some(isShown))
  if (items.some(isBad)) return "bad"
  return isPending || items.some(({ state }) => state === "failed" || state === "warned") ? "warn" : "good"
}

const fact = ({ label, value, tone }: Fact): Markup =>
  html`<div class="fact ${tone satisfies Tone}"><dt>${label}</dt><dd>${value}</dd></div>`

interface Rendered {
  readonly migration: ShownMigration
  readonly id: string
  readonly content: Markup
}

const mostUnfolded = 12

/** As many as there is room for: those with findings first, then the newest. */
async function chaptersOf(
  { migrations, history }: Picture,
  findings: readonly Finding[],
  idOf: (file: string | undefined) => string | undefined,
): Promise<readonly Rendered[]> {
  const entries = new Map(history.map((one) => [one.name, one]))
  const all = migrations.map((migration, at) => {
    const id = idOf(migration.file.replaceAll("\\", "/")) ?? `m${at + 1}`
    return {
      migration,
      id,
      at,
      entry: entries.get(migration.name),
      findings: findings.filter(({ file }) => idOf(file) === id),
      isOneOfMany: migrations.length > mostUnfolded,
    }
  })
  const byWeight = all.toSorted(
    (one, other) => Number(other.findings.length > 0) - Number(one.findings.length > 0) || other.at - one.at,
  )
  let room = roomForMigrations
  const rendered: (Rendered & { readonly at: number })[] = []
  for (const chapter of byWeight) {
    if (room <= 0) break
    const content = await migrationSection(chapter)
    room -= content.text.length
    if (room > 0) rendered.push({ ...chapter, content })
  }
  return rendered.toSorted((one, other) => one.at - other.at)
}

function migrationsSection(chapters: readonly Rendered[], all: readonly ShownMigration[]): Content {
  if (all.length === 0) return undefined
  const left = all.length - chapters.length
  return html`<section id="migrations" aria-labelledby="h-migrations">
<h2 id="h-migrations">Migrations</h2>
${left > 0 && html`<p class="lead">The SQL of ${chapters.length} of ${all.length} is shown, those with findings first; the others are in their files.</p>`}
${chapters.map(({ content }) => content)}
</section>`
}
