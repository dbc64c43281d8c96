import { execa } from "execa"

/** Whether a Dagger engine answers. One that is not there may still be on its way: starting one takes a while. */
export async function engineAnswers(): Promise<boolean> {
  const { failed } = await execa("dagger", ["query", "--silent", "--no-mod"], {
    input: "{ version }",
    reject: false,
    timeout: 120_000,
    env: quiet,
  })
  return !failed
}

/** Without these the CLI requests more from the network than its engine. */
export const quiet = { DAGGER_NO_NAG: "1", DO_NOT_TRACK: "1", DAGGER_NO_UPDATE_CHECK: "1" }
