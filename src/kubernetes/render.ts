import { Document, isMap, isPair, isScalar, isSeq, Scalar, type ScalarTag, visit } from "yaml"
import type { DeployVariable, PodPart, Values } from "./init-container.js"

const oneExpression = /^\{\{[^{}]*\}\}$/

/** A text that is one Helm expression is written without quotes: the expression itself quotes its value or not. */
const bareExpression: ScalarTag = {
  tag: "!helm",
  default: true,
  identify: (value) => typeof value === "string" && oneExpression.test(value),
  resolve: (text) => text,
  stringify: ({ value }) => String(value),
}

const print = (document: Document): string =>
  document.toString({ flowCollectionPadding: false, lineWidth: 0 }).trimEnd()

/** An init container as text for a Helm template, without a newline at its end. */
export function renderInitContainer(part: PodPart, heading: string): string {
  const document = new Document(part, { customTags: (tags) => [bareExpression, ...tags] })
  visit(document, {
    Pair(_, pair) {
      if (!isScalar(pair.key) || !isSeq(pair.value)) return
      if (pair.key.value !== "command" && pair.key.value !== "drop") return
      pair.value.flow = true
      for (const item of pair.value.items) if (isScalar(item)) item.type = Scalar.QUOTE_DOUBLE
    },
  })
  if (document.contents) document.contents.commentBefore = ` ${heading}`
  return print(document)
}

/** Values as the text of a values.yaml with a comment for each that needs one, without a newline at its end. */
export function renderValues(values: Values, variables: readonly DeployVariable[]): string {
  const document = new Document(values)
  const comment = (path: readonly string[], text: string) => {
    const parent = document.getIn(path.slice(0, -1), true)
    const pairs = isMap(parent) ? parent.items : []
    const key = pairs.filter(isPair).find((pair) => isScalar(pair.key) && pair.key.value === path.at(-1))?.key
    if (isScalar(key)) key.commentBefore = ` ${text}`
  }
  comment(["image", "repository"], "the image that holds the migrations")
  comment(
    ["database", "secretName"],
    "the Secret in the release's namespace, and its key that holds the database's URL",
  )
  comment(["migrations", "env"], "the deploy's options with their defaults; the hardened init container reads them")
  for (const { name, help } of variables) comment(["migrations", "env", name], help)
  return print(document)
}
