import { applyEdits, modify } from "jsonc-parser"
import * as z from "zod/mini"
import { json } from "../project/package-manager.js"
import { nothing, type Proposal, rewrite, type Setting } from "./change.js"
import { formattingOf } from "./package-json.js"

/** The line of engines that the module is made for. */
export const daggerVersion = "0.21.8"

const shape = z.looseObject({
  name: z.optional(z.string()),
  source: z.optional(z.string()),
  toolchains: z._default(z.array(z.looseObject({ name: z.string(), source: z.string() })), []),
})

/** Whether the project's dagger.json has the module as a toolchain. */
export function hasToolchain({ found, files }: Pick<Setting, "found" | "files">): boolean {
  const parsed = shape.safeParse(json(found.dagger && files.text(found.dagger)))
  return parsed.success && parsed.data.toolchains.some(({ name }) => name === "lockstep")
}

/**
 * dagger.json: the module as a toolchain, where its address is given; `dagger toolchain install` writes the same. What the
 * address is cannot be known: a fork or a mirror has another one.
 */
export function proposeDagger(setting: Setting): Proposal {
  const { found, files, wanted } = setting
  if (hasToolchain(setting)) return nothing()
  const path = found.dagger ?? "dagger.json"
  const text = files.text(path)
  if (wanted.dagger === undefined) {
    return text === undefined || isTheModule(text)
      ? nothing()
      : nothing(
          `${path} is there: with --dagger ADDRESS, the address of Lockstep's module, init adds it as a toolchain`,
        )
  }
  const toolchain = { name: "lockstep", source: wanted.dagger }
  if (text === undefined) {
    const made = { name: nameOf(setting), engineVersion: `v${daggerVersion}`, toolchains: [toolchain] }
    return rewrite(files, path, `${JSON.stringify(made, null, 2)}\n`)
  }
  const parsed = shape.safeParse(json(text))
  if (!parsed.success) return nothing(`${path} is left as it is: it cannot be read`)
  const isFirst = parsed.data.toolchains.length === 0
  const edits = isFirst
    ? modify(text, ["toolchains"], [toolchain], { formattingOptions: formattingOf(text) })
    : modify(text, ["toolchains", -1], toolchain, { formattingOptions: formattingOf(text), isArrayInsertion: true })
  return rewrite(files, path, applyEdits(text, edits))
}

/** This repository's own: it is the module. */
const isTheModule = (text: string): boolean => {
  const parsed = shape.safeParse(json(text))
  return parsed.success && parsed.data.name === "lockstep" && parsed.data.source !== undefined
}

function nameOf({ found, files }: Setting): string {
  const parsed = z.safeParse(z.object({ name: z.string() }), json(files.text("package.json")))
  const name = parsed.success ? parsed.data.name : found.at.split("/").at(-1)
  return name?.replace(/^@[^/]*\//, "") || "project"
}
