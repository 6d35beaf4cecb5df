// What all readers of one shell text share.
import type { ReadingBudget } from './reading-budget.ts';

/** What would prevent a text from running. */
export interface Notes {
  /** What is missing at its end: `"`, `)`. */
  unclosed?: string;
  /** A `)` closes nothing. */
  isAstray?: true;
  /** It contains something that a shell reads differently; it may be correct. */
  isDoubtful?: true;
}

/** What all readers of one text share. */
export interface Surroundings {
  readonly notes: Notes;
  /** The variables that the text has set so far, or that were given to it. */
  readonly variables: Map<string, string>;
  readonly budget: ReadingBudget;
}
