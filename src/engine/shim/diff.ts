import * as z from "zod/mini"
import { noModels } from "../../change/diff.js"
import { container, type Engine } from "../../schema-engine/engine.js"

const params = z.looseObject({
  from: z.looseObject({ tag: z.string() }),
  to: z.looseObject({ tag: z.string() }),
})
const outcome = z.object({ exitCode: z.number(), stdout: z.nullable(z.string()) })

/** `diff`: its text goes to the person through a `print` request, as the CLI expects of a schema engine that is a process. */
export async function answerDiff(engine: Engine, input: unknown, print: (text: string) => void): Promise<unknown> {
  const { from, to, ...rest } = z.parse(params, input)
  const request = { ...rest, from: withDatabase(from), to: withDatabase(to) }
  const answer = await engine.raw(async (each): Promise<unknown> => Reflect.apply(each.diff, each, [request]))
  const { exitCode, stdout } = z.parse(outcome, answer)
  if (stdout) print(stdout)
  return { exitCode, stdout: null }
}

/** This build of the engine knows the database that it is connected to, and takes no URL. */
function withDatabase(target: { readonly tag: string }): object {
  return target.tag === "url" ? { tag: "schemaDatasource", ...container(noModels), configDir: "" } : target
}
