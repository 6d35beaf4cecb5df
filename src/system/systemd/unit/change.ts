import { errorMessage } from '../../../core/errors.ts';
import { bodyOf, type DbusMessage } from '../dbus/message.ts';
import type { DbusValue, Variant } from '../dbus/values.ts';

/**
 * Changed properties of a unit. A change comes for both its interfaces, one after the other, `Unit` last. Each holds some
 * dozens of properties, and most listeners only need to know that something changed, or what the last change was. So a change
 * is decoded when somebody reads it.
 */
export class UnitChange {
  readonly #message: DbusMessage;
  readonly #onBroken: (reason: string) => void;
  #values: ReadonlyMap<string, DbusValue> | undefined;

  /** `message`: a PropertiesChanged of org.freedesktop.DBus.Properties. `onBroken` gets one line if it is not. */
  constructor(message: DbusMessage, onBroken: (reason: string) => void) {
    this.#message = message;
    this.#onBroken = onBroken;
  }

  /** `org.freedesktop.systemd1.Unit`, or the interface of its type; empty if it cannot be read. */
  get interface(): string {
    return this.#read(() => String(bodyOf({ ...this.#message, signature: 's' })[0])) ?? '';
  }

  /** The properties; empty if they cannot be read. */
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
