/**
 * What the page does beside being read: the theme, steps from finding to finding, and everything open on paper. It reads nothing but the page, and
 * the page holds everything without it.
 */
export const script = `
(() => {
  const root = document.documentElement
  const all = (selector) => [...document.querySelectorAll(selector)]
  const themes = ["system", "light", "dark"]
  const stored = () => { try { return localStorage.getItem("lockstep-theme") } catch { return null } }
  const theme = document.getElementById("theme")
  let current = themes.includes(stored()) ? stored() : "system"
  const paint = () => {
    if (current === "system") root.removeAttribute("data-theme")
    else root.setAttribute("data-theme", current)
    theme.textContent = "Theme: " + current
  }
  const nextTheme = () => {
    current = themes[(themes.indexOf(current) + 1) % themes.length]
    try { localStorage.setItem("lockstep-theme", current) } catch {}
    paint()
  }
  const expand = document.getElementById("expand")
  let open = false
  const toggle = () => {
    open = !open
    for (const one of all("details")) one.open = open
    expand.textContent = open ? "Collapse all" : "Expand all"
    expand.setAttribute("aria-pressed", String(open))
  }
  const stops = all(".note, .finding")
  const step = (by) => {
    const at = stops.indexOf(document.activeElement)
    const next = stops[at < 0 ? (by > 0 ? 0 : stops.length - 1) : (at + by + stops.length) % stops.length]
    next.closest("details")?.setAttribute("open", "")
    next.setAttribute("tabindex", "-1")
    next.focus({ preventScroll: true })
    next.scrollIntoView({ block: "center" })
  }
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)))
    const folded = target && (target.closest("details") ?? target.querySelector("details"))
    if (folded) { folded.open = true; target.scrollIntoView() }
  }
  let closed = []
  addEventListener("beforeprint", () => {
    closed = all("details:not([data-list])").filter((one) => !one.open)
    for (const one of closed) one.open = true
  })
  addEventListener("afterprint", () => { for (const one of closed) one.open = false })
  addEventListener("hashchange", reveal)
  theme.addEventListener("click", nextTheme)
  expand.addEventListener("click", toggle)
  for (const one of all(".step")) {
    one.addEventListener("click", () => step(Number(one.value)))
    one.hidden = stops.length === 0
  }
  for (const one of [theme, expand]) one.hidden = false
  paint()
  reveal()
})()
`
