// The name of a unit, as a check has it.
import type { SectionReader } from '../../../core/config.ts';
import { invisibleIn } from '../../../core/text/printable.ts';

/** The complete name of the unit in that key, or else of `usual`: with `.service` if it has no other suffix. Undefined if it can be none. */
export function parseUnit(section: SectionReader, key: string, usual: string): string | undefined {
  const name = section.text(key) ?? usual;
  const unit = UNIT_SUFFIX.test(name) ? name : `${name}.service`;
  if (NAME.test(unit) && unit.length <= MAX_LENGTH && invisibleIn(unit) === undefined) return unit;
  section.refuse(key, `invalid value, expected the name of a unit, such as nginx.service, backup.timer or app@1`);
  return undefined;
}

const UNIT_SUFFIX = /\.(?:service|socket|target|timer|path|mount|automount|swap|slice|scope|device)$/;
/** systemd.unit(5); patterns and templates without an instance mean no single unit. */
const NAME = /^[A-Za-z0-9:_.\\-]+(?:@[A-Za-z0-9:_.\\@-]+)?\.[a-z]+$/;
const MAX_LENGTH = 255;
