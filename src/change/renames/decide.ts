import type { Structure } from "../../postgres/structure.js"
import { asRename, exchanged, type Gone, gone, isBetweenModels, stages } from "./candidates.js"
import { matches, type Spellings, unmatched } from "./flags.js"
import { type Rename, renamed } from "./rename.js"

/** What somebody said about a thing that is gone and may have another name now. */
export type Answer =
  | { readonly answer: "renamed"; readonly to: string }
  | { readonly answer: "dropped" }
  /** There is nobody to ask. */
  | { readonly answer: "none" }

/** What decides: what was told beforehand, and whom to ask. */
export interface Decider extends Spellings {
  /** `User.name=displayName`, as --rename gives them. */
  readonly told: readonly string[]
  /** `renames`: those that are known or assumed by then. */
  readonly ask: (gone: Gone, renames: readonly Rename[]) => Promise<Answer>
}

export interface Decision {
  readonly renames: readonly Rename[]
  /** What may be renames, about which nobody decided: every possible one. */
  readonly open: readonly Rename[]
  /** What somebody said is dropped. */
  readonly dropped: readonly Gone[]
}

/** Finds out which of the things that are gone have new names. Errors: L1415 something was told that does not fit. */
export async function decide(from: Structure, to: Structure, decider: Decider): Promise<Decision> {
  const state = new Deciding(from, to, decider)
  for (const kind of stages) await state.decide(kind)
  return state.decision()
}

class Deciding {
  readonly #told: Set<string>
  readonly #renames: Rename[] = []
  /** Those, and the likeliest where nobody decided about a table or an enum. */
  readonly #assumed: Rename[] = []
  readonly #open: Rename[] = []
  readonly #dropped: Gone[] = []
  readonly #seen: Gone[] = []
  /** With what is assumed so far. */
  #now: Structure

  constructor(
    readonly from: Structure,
    readonly to: Structure,
    readonly decider: Decider,
  ) {
    this.#now = from
    this.#told = new Set(decider.told)
  }

  async decide(kind: Gone["kind"]): Promise<void> {
    const asked = new Set<string>()
    for (;;) {
      const waiting = gone(kind, this.#now, this.to).filter((each) => !asked.has(keyOf(each)))
      // What refers to other tables is recognised once these have their new names.
      const next = waiting.find((each) => !this.#isBetweenModels(each)) ?? waiting[0]
      if (next === undefined) return
      asked.add(keyOf(next))
      this.#seen.push(next)
      await this.#take(next)
    }
  }

  async #take(each: Gone): Promise<void> {
    const answer = this.#answerTo(each) ?? (await this.#asked(each))
    switch (answer.answer) {
      case "renamed":
        this.#renames.push(...this.#apply(asRename(each, answer.to)))
        return
      case "dropped":
        this.#dropped.push(each)
        return
      case "none": {
        this.#open.push(...each.candidates.map((to) => asRename(each, to)))
        const [likeliest] = each.candidates
        if (likeliest !== undefined && each.kind !== "column" && each.kind !== "enum value")
          this.#apply(asRename(each, likeliest))
      }
    }
  }

  /** What was told about it, or follows from that. */
  #answerTo(each: Gone): Answer | undefined {
    for (const told of this.#told) {
      const to = matches(told, each, { ...this.decider, renames: this.#assumed })
      if (to === undefined) continue
      this.#told.delete(told)
      return { answer: "renamed", to }
    }
    const [only, ...others] = each.candidates
    const follows = this.#isBetweenModels(each) && this.#renames.some(({ kind }) => kind === "table")
    return follows && only !== undefined && others.length === 0 ? { answer: "renamed", to: only } : undefined
  }

  async #asked(each: Gone): Promise<Answer> {
    return each.candidates.length === 0 ? { answer: "none" } : await this.decider.ask(each, this.#assumed)
  }

  #apply(rename: Rename): readonly Rename[] {
    this.#assumed.push(rename)
    this.#now = renamed(this.#now, [rename])
    if (rename.kind !== "table") return [rename]
    const isMeant = ({ schema, name }: { schema: string; name: string }) =>
      schema === rename.schema && name === rename.to
    const [before, after] = [this.#now.tables.find(isMeant), this.to.tables.find(isMeant)]
    const columns = before && after ? exchanged(before, after) : []
    return [rename, ...columns]
  }

  #isBetweenModels({ kind, schema, name }: Gone): boolean {
    if (kind !== "table") return false
    const table = this.#now.tables.find((each) => each.schema === schema && each.name === name)
    return table !== undefined && isBetweenModels(table)
  }

  decision(): Decision {
    if (this.#told.size > 0) throw unmatched([...this.#told], this.#seen)
    return { renames: this.#renames, open: this.#open, dropped: this.#dropped }
  }
}

const keyOf = ({ schema, parent, name }: Gone): string => JSON.stringify([schema, parent, name])
