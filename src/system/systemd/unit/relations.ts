import { type Properties, type PropertyNames, textOf, textsOf } from '../properties.ts';
import type { UnitRelations } from '../service-manager.ts';

/** What a systemd may do to the whole machine on a unit's account. Source: systemd.unit(5). */
const ACTIONS = ['SuccessAction', 'FailureAction', 'StartLimitAction', 'JobTimeoutAction'] as const;
/** How what is started at its end is: `isolate` stops all the rest. */
const JOB_MODES = ['OnSuccessJobMode', 'OnFailureJobMode'] as const;

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
    'RequisiteOf',
    'BoundBy',
    'ConsistsOf',
    'PropagatesStopTo',
    'Conflicts',
    'ConflictedBy',
    'OnSuccess',
    'OnFailure',
    ...ACTIONS,
    ...JOB_MODES,
  ],
  Service: [],
} as const satisfies PropertyNames;

/** How a unit stands to others, as its properties say; undefined if they do not: every systemd has Requires and Conflicts. */
export function unitRelations(values: Properties): UnitRelations | undefined {
  if (!values.has('Requires') || !values.has('Conflicts')) return undefined;
  const texts = (name: string): string[] => textsOf(values, name);
  return {
    unitFileState: textOf(values, 'UnitFileState'),
    requires: texts('Requires'),
    bindsTo: texts('BindsTo'),
    upholds: texts('Upholds'),
    wants: texts('Wants'),
    requiredBy: texts('RequiredBy'),
    wantedBy: texts('WantedBy'),
    triggeredBy: texts('TriggeredBy'),
    requisiteOf: texts('RequisiteOf'),
    boundBy: texts('BoundBy'),
    consistsOf: texts('ConsistsOf'),
    stopsToo: texts('PropagatesStopTo'),
    conflicts: [...new Set([...texts('Conflicts'), ...texts('ConflictedBy')])],
    startedAtEnd: [...texts('OnSuccess'), ...texts('OnFailure')],
    actions: [
      ...ACTIONS.filter((name) => !['', 'none'].includes(textOf(values, name))),
      ...JOB_MODES.filter((name) => textOf(values, name) === 'isolate'),
    ].map((name) => `${name}=${textOf(values, name)}`),
  };
}
