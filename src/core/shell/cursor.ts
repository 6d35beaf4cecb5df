/** A place in a text, and what is taken from there. All patterns are sticky. */
export class Cursor {
  protected readonly text: string;
  protected at: number;

  constructor(text: string, at: number) {
    this.text = text;
    this.at = at;
  }

  /** Takes what stands here if it is that. */
  protected match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return undefined;
    this.at = pattern.lastIndex;
    return found[0];
  }

  /** Takes what stands here; of it the pattern's first group. Without a match it is all that is left, and ''. */
  protected until(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    this.at = found === null ? this.text.length : pattern.lastIndex;
    return found?.[1] ?? '';
  }
}
