/** What a piece of the server's side of the login asks for. */
export type LoginStep =
  /** Wait for more of it. */
  | { readonly kind: 'more' }
  /** Send the password. */
  | { readonly kind: 'asked' }
  /** We are in; `rest` is the beginning of the stream. */
  | { readonly kind: 'in'; readonly rest: string }
  | { readonly kind: 'refused' };

/**
 * The login of a TCP client as it comes over the line, in any pieces: `Password: `, then `Authentication successful.` or
 * `Authentication failed. Disconnecting.`. A server that says anything else at first wants no password. Source: seed 002.
 */
export class Login {
  /** Said so far and not understood yet. */
  held = '';
  #asked = false;

  /** True once the server has said something. */
  get isUnderWay(): boolean {
    return this.#asked || this.held !== '';
  }

  read(text: string): LoginStep {
    this.held = (this.held + text).trimStart();
    if (this.#asked) return this.#readAnswer();
    if (begins(this.held, PROMPT)) return { kind: 'more' };
    if (!this.held.startsWith(PROMPT)) return { kind: 'in', rest: this.held };
    this.#asked = true;
    this.held = this.held.slice(PROMPT.length);
    return { kind: 'asked' };
  }

  #readAnswer(): LoginStep {
    if (begins(this.held, ACCEPTED) || begins(this.held, REFUSED)) return { kind: 'more' };
    if (this.held.startsWith(REFUSED)) return { kind: 'refused' };
    return { kind: 'in', rest: this.held.startsWith(ACCEPTED) ? this.held.slice(ACCEPTED.length) : this.held };
  }
}

const PROMPT = 'Password:';
const ACCEPTED = 'Authentication successful.';
const REFUSED = 'Authentication failed';

function begins(held: string, whole: string): boolean {
  return held.length < whole.length && whole.startsWith(held);
}
