import { Document, isScalar, isSeq, Scalar, type ScalarTag, visit } from "yaml"
import * as z from "zod/mini"

/** A text that says something. */
export const text = z.string().check(z.minLength(1))

const oneExpression = /^\{\{[^{}]*\}\}$/

/** A text that is one Helm expression is written without quotes: the expression itself quotes its value or not. */
const bareExpression: ScalarTag = {
  tag: "!helm",
  default: true,
  identify: (value) => typeof value === "string" && oneExpression.test(value),
  resolve: (text) => text,
  stringify: ({ value }) => String(value),
}

/** A YAML document as text, without a newline at its end. */
export const print = (document: Document): string =>
  document.toString({ flowCollectionPadding: false, lineWidth: 0 }).trimEnd()

/** Lists that are written on one line. */
const onOneLine: ReadonlySet<unknown> = new Set(["command", "drop", "values"])

/** Objects as one text, without a newline at its end. */
export const renderAll = (objects: readonly object[], heading: string): string =>
  objects.map((object, index) => renderTemplate(object, index === 0 ? heading : undefined)).join("\n---\n")

/** An object as text for a Helm template or a manifest, without a newline at its end. `heading` is its first line. */
export function renderTemplate(object: object, heading: string | undefined): string {
  const document = new Document(object, { customTags: (tags) => [bareExpression, ...tags] })
  visit(document, {
    Pair(_, pair) {
      if (!isScalar(pair.key) || !isSeq(pair.value) || !onOneLine.has(pair.key.value)) return
      pair.value.flow = true
      for (const item of pair.value.items)
        if (isScalar(item) && typeof item.value === "string") item.type = Scalar.QUOTE_DOUBLE
    },
  })
  if (document.contents && heading !== undefined) document.contents.commentBefore = ` ${heading}`
  return print(document)
}
