import type { ReadingBudget } from './reading-budget.ts';

/** What stands in the way of running a text. */
export interface Notes {
  /** What is missing at its end: `"`, `)`. */
  unclosed?: string;
  /** A `)` closes nothing. */
  isAstray?: true;
  /** It holds what is read otherwise than a shell does; it may be well. */
  isDoubtful?: true;
}

/** What all readers of one text share. */
export interface Surroundings {
  readonly notes: Notes;
  /** Those that the text has set so far, or that were given to it. */
  readonly variables: Map<string, string>;
  readonly budget: ReadingBudget;
}
