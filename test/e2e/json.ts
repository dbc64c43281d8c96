import { expect } from "vitest"
import * as z from "zod/mini"
import { answers } from "../../src/report/schemas.js"

type Schema = keyof typeof answers

const isSchema = (name: unknown): name is Schema => typeof name === "string" && Object.hasOwn(answers, name)
const named = z.looseObject({ schema: z.string() })

/** The objects that a command printed, one a line, each of the shape that its schema documents. */
export function objectsIn(stdout: string): unknown[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const object: unknown = JSON.parse(line)
      const { schema } = z.parse(named, object)
      expect(isSchema(schema), `${schema} is documented`).toBe(true)
      if (!isSchema(schema)) return object
      const { success, error } = z.safeParse(answers[schema], object)
      expect(success, error && `${line}\n${z.prettifyError(error)}`).toBe(true)
      return object
    })
}
