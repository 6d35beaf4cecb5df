/** A position in a text that is read from there. All patterns are sticky. */
export class Cursor {
  protected readonly text: string;
  protected at: number;

  constructor(text: string, at: number) {
    this.text = text;
    this.at = at;
  }

  /** Consumes and returns the match of `pattern` at this position, if there is one. */
  protected match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return undefined;
    this.at = pattern.lastIndex;
    return found[0];
  }

  /**
   * Consumes the match of `pattern` at this position and returns its first group. Without a match it consumes the rest and
   * returns ''.
   */
  protected until(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    this.at = found === null ? this.text.length : pattern.lastIndex;
    return found?.[1] ?? '';
  }
}
