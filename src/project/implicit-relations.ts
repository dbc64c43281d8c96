import type { SchemaFiles } from "./schema.js"
import { blocksIn, lineAt } from "./schema-blocks.js"

/** An end of an implicit many-to-many relation: a list of a model that has a list of this one, without a model between. */
export interface ImplicitRelation {
  readonly path: string
  /** 1-based. */
  readonly line: number
  readonly model: string
  readonly field: string
  /** The model of the list. */
  readonly of: string
  /** The relation's name where the schema gives one. */
  readonly name: string | undefined
}

const listField = /^[^\S\n]*(\w+)[^\S\n]+(\w+)\[\]([^\n]*)/gm

/** Both ends of every implicit many-to-many relation, in the files' order. */
export function implicitRelations(files: SchemaFiles): readonly ImplicitRelation[] {
  const lists = files.flatMap(({ path, content }) =>
    blocksIn(content).flatMap((block): readonly ImplicitRelation[] =>
      block.kind !== "model"
        ? []
        : [...block.code.matchAll(listField)].map(({ index, 0: whole, 1: field = "", 2: of = "" }) => {
            const text = block.body.slice(index, index + whole.length)
            const name = /@relation\(\s*(?:name:\s*)?"([^"]*)"/.exec(text)?.[1]
            const offset = block.start + index + whole.length - whole.trimStart().length
            return { path, line: lineAt(content, offset), model: block.name, field, of, name }
          }),
    ),
  )
  const isOther = (one: ImplicitRelation, other: ImplicitRelation): boolean =>
    one !== other && one.model === other.of && one.of === other.model && one.name === other.name
  return lists.filter((one) => lists.some((other) => isOther(one, other)))
}
