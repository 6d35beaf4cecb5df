import type { ConfigDocument } from './config-document.ts';

/**
 * Refuses each process that shares a `system_name` with an earlier section if the two tell their programs apart by `argument` or
 * `pid_file`: what is known of a program is kept by that name, so one would be taken for the other. The earlier one stays.
 * Without `system_name` the section's own name is it.
 */
export function checkSharedNames(document: ConfigDocument): void {
  const first = new Map<string, { readonly name: string; readonly marks: string }>();
  for (const name of document.processNames()) {
    const section = document.processSection(name);
    const systemName = section.text('system_name') ?? name;
    const marks = ['argument', 'pid_file'].map((key) => section.text(key) ?? '').join('\0');
    const other = first.get(systemName);
    if (other === undefined) first.set(systemName, { name, marks });
    else if (other.marks !== marks)
      document.refuseProcess(
        name,
        section.has('system_name') ? 'system_name' : 'argument',
        `${systemName} is [process.${other.name}]'s name too, with another argument or pid_file (leave system_name out of both: the section's own name will do)`,
      );
  }
}
