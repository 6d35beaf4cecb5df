// Checks that sections do not share a `system_name` in a way that would mix up their programs.
import { lastPart } from '../core/process/comm.ts';
import type { ConfigDocument } from './config-document.ts';

/**
 * Refuses each process that has the same `system_name` as an earlier section if the two distinguish their programs by
 * `argument` or `pid_file`: launch records are stored by that name, so one program would be taken for the other. The earlier
 * section is accepted. Without `system_name` the section's own name counts. A name without a folder means every program of that name,
 * so it is compared with the file name of a path too, if both sections distinguish their programs.
 */
export function checkSharedNames(document: ConfigDocument): void {
  const seen = new Map<string, Section[]>();
  for (const name of document.processNames()) {
    const section = document.processSection(name);
    const systemName = section.text('system_name') ?? name;
    const marks = ['argument', 'pid_file'].map((key) => section.text(key) ?? '').join('\0');
    const own = { name, systemName, marks };
    const others = seen.get(lastPart(systemName)) ?? [];
    const other = others.find((one) => one.marks !== marks && isMixedUp(one, own));
    if (other === undefined) {
      seen.set(lastPart(systemName), [...others, own]);
      continue;
    }
    const cure =
      other.systemName === systemName
        ? "remove system_name from both: the section's own name is enough"
        : 'write the path in both, or the same name in neither';
    document.refuseProcess(
      name,
      section.has('system_name') ? 'system_name' : 'argument',
      `${systemName} is also the name of [process.${other.name}], with another argument or pid_file (${cure})`,
    );
  }
}

/** What tells the program of a section from others. */
interface Section {
  readonly name: string;
  readonly systemName: string;
  readonly marks: string;
}

/** True if the program of one can be taken for that of the other. Both have the same last part. */
function isMixedUp(one: Section, other: Section): boolean {
  if (one.systemName === other.systemName) return true;
  const isBare = [one, other].some(({ systemName }) => !systemName.includes('/'));
  return isBare && [one, other].every(({ marks }) => marks !== NO_MARKS);
}

const NO_MARKS = '\0';
