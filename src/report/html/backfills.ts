import { named } from "./history.js"
import { type Content, html, type Markup } from "./markup.js"
import type { ShownBackfill } from "./picture.js"
import { highlight } from "./sql.js"

const tones: Readonly<Record<ShownBackfill["state"], "good" | "warn" | "bad" | "info">> = {
  ...{ finished: "good", failed: "bad", running: "info", unfinished: "warn", "not started": "info" },
}

/** How far along its table each backfill is, and its SQL. */
export async function backfillsSection(backfills: readonly ShownBackfill[]): Promise<Content> {
  if (backfills.length === 0) return undefined
  const sources = await Promise.all(backfills.map(source))
  return html`<section id="backfills" aria-labelledby="h-backfills">
<h2 id="h-backfills">Backfills</h2>
<div class="lanes" role="region" aria-label="Backfills" tabindex="0"><table class="fleet">
<caption class="vh">Backfills</caption>
<thead><tr><th scope="col">Backfill</th><th scope="col" class="when">Along the table</th><th scope="col">State</th><th scope="col">Rows</th></tr></thead>
<tbody>${backfills.map(row)}</tbody></table></div>
${sources}
</section>`
}

function row({ name, state, walked, estimated, notes }: ShownBackfill): Markup {
  const share = state === "finished" ? 1 : Math.min(1, walked / Math.max(1, estimated ?? 0, walked))
  const percent = (100 * share).toFixed(1)
  return html`<tr><th scope="row">${named(name)}</th>
<td class="when"><svg height="16" aria-hidden="true"><rect class="track" width="100%" y="3" height="10" rx="3"/><rect class="reached" width="${percent}%" y="3" height="10" rx="3"/></svg></td>
<td class="t-${tones[state]}">${state}</td><td>${notes.map((note) => html`<span class="works">${note}</span>`)}</td></tr>
`
}

async function source({ name, file, sql }: ShownBackfill): Promise<Markup> {
  const { lines } = await highlight(sql)
  return html`<details class="source" open><summary>${named(name)} <span class="muted">${file}</span></summary>
<div class="code"><ol class="sql">${lines.map((line) => html`<li>${line}\n`)}</ol></div></details>
`
}
