// Checks that sections do not share a `system_name` in a way that would mix up their programs.
import type { ConfigDocument } from './config-document.ts';

/**
 * Refuses each process that has the same `system_name` as an earlier section if the two distinguish their programs by
 * `argument` or `pid_file`: launch records are stored by that name, so one program would be taken for the other. The earlier
 * section is accepted. Without `system_name` the section's own name counts.
 */
export function checkSharedNames(document: ConfigDocument): void {
  const first = new Map<string, { readonly name: string; readonly marks: string }>();
  for (const name of document.names('process')) {
    const section = document.member('process', name);
    const systemName = section.text('system_name') ?? name;
    const marks = ['argument', 'pid_file'].map((key) => section.text(key) ?? '').join('\0');
    const other = first.get(systemName);
    if (other === undefined) first.set(systemName, { name, marks });
    else if (other.marks !== marks)
      document.refuseProcess(
        name,
        section.has('system_name') ? 'system_name' : 'argument',
        `${systemName} is also the name of [process.${other.name}], with another argument or pid_file (remove system_name from both: the section's own name is enough)`,
      );
  }
}
