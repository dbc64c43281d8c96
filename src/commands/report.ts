import { readFileSync } from "node:fs"
import { defineCommand } from "../cli/options.js"
import { LockstepError } from "../errors.js"
import { checkFormats, formatOptions, give } from "../report/formats/formats.js"
import type { Verification } from "../report/formats/verification.js"

/** `lockstep report FILE`: a verification in the formats that CIs show. */
export default defineCommand({
  description: [
    "Writes the verify.json of the Dagger module's verify in other formats, as the commands write their own answers: a page for people, Markdown for a pull request, JUnit, SARIF. Reads that file alone.",
  ],
  operands: [{ name: "file", required: true, description: "verify.json" }],
  options: formatOptions,
  exitCodes: { 0: "the verification passed", 1: "it did not" },
  examples: ["lockstep report reports/verify.json --format html --output reports/verify.html"],
  async run({ settings, operands: [file = ""], output }) {
    checkFormats(settings)
    const shown = await import("../report/formats/verification.js")
    const found = read(file, shown.verification.safeParse)
    const answer = {
      command: "verify",
      text: () => shown.renderVerification(found),
      object: found,
      report: async () => shown.verificationReport(found),
      picture: async () => shown.verificationPicture(found),
    }
    await give(answer, settings, output)
    return found.passed ? 0 : 1
  },
})

type Parse = (value: unknown) => { readonly success: boolean; readonly data?: Verification | undefined }

function read(file: string, parse: Parse): Verification {
  let reason = "it is not the verify.json of a verification"
  try {
    const { data } = parse(JSON.parse(readFileSync(file, "utf8")))
    if (data !== undefined) return data
  } catch (cause) {
    if (cause instanceof Error) reason = cause.message
  }
  throw new LockstepError("L2070", `${file} cannot be reported: ${reason}`, {
    state: "nothing was touched.",
    next: "name the verify.json that `dagger call lockstep verify -o reports` wrote",
  })
}
