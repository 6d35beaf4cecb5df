import { type Properties, type PropertyNames, textOf, textsOf } from './properties.ts';
import type { UnitRelations } from './service-manager.ts';

/** What a systemd may do to the whole machine on a unit's account. Source: systemd.unit(5). */
const ACTIONS = ['SuccessAction', 'FailureAction', 'StartLimitAction', 'JobTimeoutAction'] as const;

/** What `unitRelations` goes by; an older systemd does not have all of it. */
export const RELATION_PROPERTIES = {
  Unit: [
    'UnitFileState',
    'Requires',
    'BindsTo',
    'Upholds',
    'Wants',
    'RequiredBy',
    'WantedBy',
    'TriggeredBy',
    'BoundBy',
    'ConsistsOf',
    'Conflicts',
    'ConflictedBy',
    'OnSuccess',
    'OnFailure',
    ...ACTIONS,
  ],
  Service: ['KillMode'],
} as const satisfies PropertyNames;

/** How a unit stands to others, as its properties say; undefined if they do not: every systemd has Requires and Conflicts. */
export function unitRelations(values: Properties): UnitRelations | undefined {
  if (!values.has('Requires') || !values.has('Conflicts')) return undefined;
  const killMode = textOf(values, 'KillMode');
  const texts = (name: string): string[] => textsOf(values, name);
  return {
    unitFileState: textOf(values, 'UnitFileState'),
    ...(killMode && { killMode }),
    requires: texts('Requires'),
    bindsTo: texts('BindsTo'),
    upholds: texts('Upholds'),
    wants: texts('Wants'),
    requiredBy: texts('RequiredBy'),
    wantedBy: texts('WantedBy'),
    triggeredBy: texts('TriggeredBy'),
    boundBy: texts('BoundBy'),
    consistsOf: texts('ConsistsOf'),
    conflicts: [...new Set([...texts('Conflicts'), ...texts('ConflictedBy')])],
    startedAtEnd: [...texts('OnSuccess'), ...texts('OnFailure')],
    actions: ACTIONS.flatMap((name) => {
      const action = textOf(values, name);
      return action === '' || action === 'none' ? [] : [`${name}=${action}`];
    }),
  };
}
