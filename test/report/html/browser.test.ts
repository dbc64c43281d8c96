import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { pathToFileURL } from "node:url"
import type { AxeResults } from "axe-core"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, onTestFinished, TestRunner, test } from "vitest"
import { asHtml } from "../../../src/report/html/document.js"
import { hostile, page } from "./example.js"

/** Chromium as distributions call it, or Chrome. */
const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
const executablePath = (process.env.PATH ?? "")
  .split(delimiter)
  .flatMap((folder) => names.map((name) => join(folder, name)))
  .find(isExecutable)

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

if (executablePath === undefined) console.log("No Chromium on the PATH: how the page looks and acts is not tested.")

const axe = createRequire(import.meta.url).resolve("axe-core")
/** Where the screenshots go, for a person to look at. */
const screenshots = process.env.LOCKSTEP_TEST_SCREENSHOTS

describe.skipIf(executablePath === undefined)("in Chromium", () => {
  let browser: Browser
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-page-"))
    browser = await chromium.launch({ executablePath: executablePath ?? "", chromiumSandbox: false })
    for (const [name, text] of [
      ["plain", "plain"],
      ["hostile", hostile],
    ] as const) {
      const { report, picture } = page(text)
      writeFileSync(join(folder, `${name}.html`), await asHtml(report, picture, new Date("2026-03-01T09:30:00Z")))
    }
  })
  afterAll(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  interface Opened {
    readonly shown: Page
    /** Errors of the console and of the script, dialogs, and everything that was asked for beside the page. */
    readonly problems: readonly string[]
  }

  async function open(name: string, options: BrowserContextOptions = {}): Promise<Opened> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
    if (TestRunner.getCurrentTest() !== undefined) onTestFinished(() => context.close())
    const shown = await context.newPage()
    const problems: string[] = []
    const url = pathToFileURL(join(folder, `${name}.html`)).href
    shown.on("console", (message) => problems.push(`console: ${message.text()}`))
    shown.on("pageerror", (error) => problems.push(`script: ${error.message}`))
    shown.on("dialog", (dialog) => problems.push(`dialog: ${dialog.message()}`))
    shown.on("request", (request) => {
      if (request.url() !== url && request.url() !== "data:,") problems.push(`request: ${request.url()}`)
    })
    await shown.goto(url)
    return { shown, problems }
  }

  test.each(["plain", "hostile"])("it loads without an error, a request or a dialog: %s", async (name) => {
    const { shown, problems } = await open(name)
    await shown.getByRole("button", { name: "Expand all" }).click()
    await shown.getByRole("button", { name: "Next finding" }).click()
    expect(problems).toEqual([])
    expect(await shown.locator("img").count()).toBe(0)
    expect(await shown.evaluate<string>("document.activeElement.className")).toContain("finding")
  })

  describe("axe finds nothing serious", () => {
    let shown: Page
    beforeAll(async () => {
      ;({ shown } = await open("plain", { bypassCSP: true }))
      await shown.addScriptTag({ path: axe })
    })
    afterAll(() => shown?.context().close())

    test.each(["light", "dark"] as const)("%s", async (colorScheme) => {
      await shown.emulateMedia({ colorScheme })
      const results: AxeResults = await shown.evaluate("axe.run()")
      const serious = results.violations.filter(({ impact }) => impact === "serious" || impact === "critical")
      expect(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
      expect(results.passes.map(({ id }) => id)).toContain("color-contrast")
    })
  })

  test("the Tab key reaches every link, button, fold, choice and scrolled part", async () => {
    const { shown } = await open("plain")
    const wanted = await shown.evaluate<number>(`
      const all = [...document.querySelectorAll("a[href], button, summary, input:checked, [tabindex='0']")]
      const seen = all.filter((one) => !one.closest("[hidden]") && one.checkVisibility())
      for (const [at, one] of seen.entries()) one.setAttribute("data-stop", at)
      seen.length
    `)
    const reached = new Set<string | null>()
    for (let presses = 0; presses < wanted; presses++) {
      await shown.keyboard.press("Tab")
      reached.add(await shown.evaluate<string | null>("document.activeElement.getAttribute('data-stop')"))
    }
    expect(wanted).toBeGreaterThan(12)
    expect(reached.size).toBe(wanted)
    expect(reached).not.toContain(null)
  })

  test("the diagram shows what is before, what is after, and both", async () => {
    const { shown } = await open("plain")
    const added = shown.locator(".diagram .table.add .title")
    expect(await added.count()).toBe(2)
    expect(await added.first().isVisible()).toBe(true)
    await shown.getByText("Before", { exact: true }).click()
    expect(await added.first().isVisible()).toBe(false)
    await shown.getByText("After", { exact: true }).click()
    expect(await added.first().isVisible()).toBe(true)
  })

  test("everything can be read without the script", async () => {
    const { shown } = await open("plain", { javaScriptEnabled: false })
    for (const text of ["Look at this first", "Readers and writers wait", "ALTER TABLE", "3 migrations: 1 pending"])
      expect(await shown.getByText(text).first().isVisible(), text).toBe(true)
    expect(await shown.getByRole("button").count()).toBe(0)
  })

  describe("nothing stands out of the page", () => {
    let shown: Page
    beforeAll(async () => {
      ;({ shown } = await open("plain"))
    })
    afterAll(() => shown?.context().close())

    test.each([
      ["light", { colorScheme: "light", width: 1280, background: "rgb(247, 247, 245)" }],
      ["dark", { colorScheme: "dark", width: 1280, background: "rgb(16, 19, 23)" }],
      ["narrow", { colorScheme: "light", width: 390, background: "rgb(247, 247, 245)" }],
      ["print", { colorScheme: "dark", width: 760, background: "rgb(255, 255, 255)" }],
    ] as const)("%s", async (look, { colorScheme, width, background }) => {
      await shown.emulateMedia({ colorScheme, media: look === "print" ? "print" : "screen" })
      await shown.setViewportSize({ width, height: 900 })
      if (screenshots !== undefined) await shown.screenshot({ fullPage: true, path: join(screenshots, `${look}.png`) })
      const size = await shown.evaluate<[number, number]>("[document.documentElement.scrollWidth, innerWidth]")
      expect(size).toEqual([expect.toSatisfy((scrolled) => scrolled <= width), width])
      expect(await shown.evaluate<string>("getComputedStyle(document.body).backgroundColor")).toBe(background)
      if (look === "print") expect(await shown.getByRole("navigation").count()).toBe(0)
    })
  })
})
