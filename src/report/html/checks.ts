import { placeOf } from "../check.js"
import { duration } from "../deploy.js"
import type { Item } from "../formats/report.js"
import { type Content, html, type Markup, prose } from "./markup.js"

const states: Readonly<Record<Item["state"], { readonly word: string; readonly tone: string; readonly mark: string }>> =
  {
    failed: { word: "failed", tone: "bad", mark: "×" },
    warned: { word: "warned", tone: "warn", mark: "!" },
    passed: { word: "passed", tone: "good", mark: "✓" },
    skipped: { word: "skipped", tone: "info", mark: "–" },
  }

/** What was looked at beside the migrations: checks, assertions. */
export function checkList(items: readonly Item[]): Content {
  if (items.length === 0) return undefined
  const order: readonly Item["state"][] = ["failed", "warned", "skipped", "passed"]
  const sorted = items.toSorted((one, other) => order.indexOf(one.state) - order.indexOf(other.state))
  const accepted = items.flatMap((item) => item.accepted.map((one) => ({ ...one, name: item.name })))
  return html`<section id="checks" aria-labelledby="h-checks">
<h2 id="h-checks">Checks</h2>
<ul class="checks">${sorted.map(row)}</ul>
${accepted.length > 0 && html`<h3 id="h-accepted">Accepted by the files</h3><ul class="checks" aria-labelledby="h-accepted">${accepted.map(exception)}</ul>`}
</section>`
}

/** What an exception accepts, and its reason. */
const exception = ({ name, reason, finding }: Item["accepted"][number] & { readonly name: string }): Markup =>
  html`<li><span class="dot" aria-hidden="true">–</span><code>${name}</code><span class="state t-info">accepted</span><span class="why">${prose(reason)} <code class="where">${placeOf(finding)}</code></span></li>
`

function row({ name, state, skipped, durationMs, findings }: Item): Markup {
  const { word, tone, mark } = states[state]
  const count = findings.length > 1 ? `${findings.length} findings` : undefined
  return html`<li><span class="dot ${tone}" aria-hidden="true">${mark}</span><code>${name}</code><span class="state t-${tone}">${word}</span>${skipped !== undefined && html`<span class="why">${prose(skipped)}</span>`}${count !== undefined && html`<span class="why">${count}</span>`}${durationMs !== undefined && html`<span class="time">${duration(durationMs)}</span>`}</li>
`
}
