// The client's side of the login to an event stream.
/** What to do after a piece of the server's side of the login. */
type LoginStep =
  /** Wait for more of it. */
  | { readonly kind: 'more' }
  /** Send the password. */
  | { readonly kind: 'asked' }
  /** The login is done; `rest` is the beginning of the stream. */
  | { readonly kind: 'in'; readonly rest: string }
  | { readonly kind: 'refused' };

/**
 * The login of a TCP client as it comes over the line, in any pieces: `Password: `, then `Authentication successful.` or
 * `Authentication failed. Disconnecting.`. A server that sends anything else first needs no password. Source: the procMonitor
 * protocol.
 */
export class Login {
  /** Received, but not understood yet. */
  held = '';
  #asked = false;

  /** True once the server has sent something. */
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
