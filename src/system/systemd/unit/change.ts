import { errorMessage } from '../../../core/errors.ts';
import { bodyOf, type DbusMessage } from '../dbus/message.ts';
import type { DbusValue, Variant } from '../dbus/values.ts';

/**
 * Properties of a unit that have changed, of both its interfaces one after the other, `Unit` last. Each holds some dozens, and most who
 * listen want to know only that there was a change, or how the last one went: it is read once somebody asks.
 */
export class UnitChange {
  readonly #message: DbusMessage;
  readonly #onBroken: (reason: string) => void;
  #values: ReadonlyMap<string, DbusValue> | undefined;

  /** `message`: a PropertiesChanged of org.freedesktop.DBus.Properties. `onBroken` hears, in one line, that it is none. */
  constructor(message: DbusMessage, onBroken: (reason: string) => void) {
    this.#message = message;
    this.#onBroken = onBroken;
  }

  /** `org.freedesktop.systemd1.Unit`, or that of its type; empty if it cannot be read. */
  get interface(): string {
    return this.#read(() => String(bodyOf({ ...this.#message, signature: 's' })[0])) ?? '';
  }

  /** The properties; none if they cannot be read. */
  get values(): ReadonlyMap<string, DbusValue> {
    this.#values ??= this.#read(() => propertiesIn(this.#message)) ?? new Map();
    return this.#values;
  }

  #read<T>(take: () => T): T | undefined {
    try {
      return take();
    } catch (error) {
      this.#onBroken(errorMessage(error));
      return undefined;
    }
  }
}

function propertiesIn(message: DbusMessage): ReadonlyMap<string, DbusValue> {
  const [, values] = bodyOf(message);
  return new Map((values as readonly (readonly [string, Variant])[]).map(([key, { value }]) => [key, value]));
}
